using System.Globalization;
using System.Security.Cryptography;

namespace Gateway.Tests.Verify;

/// <summary>Sizes of the long runs, from the environment; without them they are short enough for every change.</summary>
internal static class Settings
{
    /// <summary>A variable <c>GATEWAY_…</c> as a number.</summary>
    public static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable($"GATEWAY_{name}"), CultureInfo.InvariantCulture, out var number) ? number : otherwise;

    /// <summary>Repeats a run when given; else another one each time.</summary>
    public static int Seed(string name) => Number(name, RandomNumberGenerator.GetInt32(int.MaxValue));
}
