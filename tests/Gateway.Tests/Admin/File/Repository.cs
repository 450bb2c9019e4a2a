using System.Runtime.CompilerServices;

namespace Gateway.Tests.Admin.File;

/// <summary>The files of the repository that these tests read.</summary>
internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Here(), "../../../.."));

    public static string Read(string path) => System.IO.File.ReadAllText(Path.Combine(Root, path));

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
