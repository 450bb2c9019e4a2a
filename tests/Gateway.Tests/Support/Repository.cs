namespace Gateway.Tests.Support;

/// <summary>Where the sources are: tests read contracts, Node scripts and the tree itself from the checkout.</summary>
internal static class Repository
{
    /// <summary>The folder of <c>Gateway.sln</c>, absolute.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary><c>Debug</c> or <c>Release</c>: what this test assembly was built as.</summary>
    public static string Configuration { get; } =
        new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name;

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Gateway.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException(
            $"No Gateway.sln above {AppContext.BaseDirectory}. Run the tests from a checkout of the repository.");
    }
}
