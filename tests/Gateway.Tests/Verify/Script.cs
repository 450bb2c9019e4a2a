using System.Globalization;

namespace Gateway.Tests.Verify;

/// <summary>What a <see cref="CountingUpstream"/> is to do wrong.</summary>
internal enum Fault
{
    None,

    /// <summary>The connection breaks after <see cref="Script.FaultAfter"/> words; of a plain reply, in its middle.</summary>
    Cut,

    /// <summary>The body ends regularly after some words, without a finish.</summary>
    EndsEarly,

    /// <summary>An event, or a reply, that is not JSON.</summary>
    Malformed,

    /// <summary>Status 500 instead of a reply.</summary>
    Fails,

    /// <summary>Status 429 with a short Retry-After.</summary>
    TooMany,

    /// <summary>Status 400: nobody else is asked.</summary>
    Refuses,
}

/// <summary>
/// One request's part: it travels in the prompt, so that the upstream needs no word with the client, and every attempt at
/// the request is told apart from all others by its id.
/// </summary>
/// <param name="Id">Also the request's <c>x-request-id</c>.</param>
/// <param name="Words">Length of the reply.</param>
/// <param name="PaceMs">Before each word of a stream; a plain reply takes as long as all of them.</param>
/// <param name="FaultAfter">Words before the fault.</param>
/// <param name="IsStubborn">Whether every attempt goes wrong, and not only the first.</param>
internal sealed record Script(string Id, int Words, int PaceMs, Fault Fault = Fault.None, int FaultAfter = 0, bool IsStubborn = false)
{
    private const string Marker = "script ";

    /// <summary>The text of a prompt.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Marker}{Id} {Words} {PaceMs} {Fault} {FaultAfter} {(IsStubborn ? 1 : 0)}");

    /// <exception cref="FormatException">Not what <see cref="ToString"/> gives.</exception>
    public static Script Parse(string prompt)
    {
        var start = prompt.IndexOf(Marker, StringComparison.Ordinal);
        var parts = start < 0 ? [] : prompt[(start + Marker.Length)..].Split(' ');
        return parts.Length == 6
            ? new Script(
                parts[0], Number(parts[1]), Number(parts[2]), Enum.Parse<Fault>(parts[3]), Number(parts[4]), parts[5] == "1")
            : throw new FormatException($"No script in the prompt '{prompt}'.");
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
