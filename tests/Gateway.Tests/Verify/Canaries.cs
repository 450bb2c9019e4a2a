namespace Gateway.Tests.Verify;

/// <summary>Texts that must turn up nowhere but where they belong: each is distinctive, and looks like what it stands for.</summary>
internal static class Canaries
{
    public const string ProviderKey = "sk-canaryproviderkey9d41c7";
    public const string ProviderHeader = "canary-provider-header-5ab20e";
    public const string ProviderPath = "canary-provider-path-77c1f3";
    public const string OpenAiKey = "sk-canaryopenaikey31f8aa";
    public const string WorkspaceSecret = "canary-workspace-secret-c0ffee";
    public const string AdminKey = "sk-gw-canaryadminkey0123456789abcdef0123456789";
    public const string MistypedKey = "sk-gw-canarymistypedkey0123456789abcdef012345";
    public const string BadFile = "canary-of-a-bad-file-44d1e9";
    public const string Prompt = "canary-prompt-8e55b2";
    public const string Reply = "canary-reply-f20a96";
    public const string FileContents = "canary-file-contents-0b7d4e";
    public const string ToolResult = "canary-tool-result-91ce35";

    /// <summary>32 bytes that are their own text.</summary>
    public static string EncryptionKey { get; } = Convert.ToBase64String("canary-encryption-key-0123456789"u8);

    /// <summary>Known before a gateway starts; callers' keys come on top.</summary>
    public static IReadOnlyList<string> Secrets { get; } =
    [
        ProviderKey, ProviderHeader, ProviderPath, OpenAiKey, WorkspaceSecret, AdminKey, MistypedKey, BadFile, EncryptionKey,
        "canary-encryption-key-0123456789",
    ];

    public static IReadOnlyList<string> Contents { get; } = [Prompt, Reply, FileContents, ToolResult];

    /// <summary>Which of them stand in a text, in clear or as the hexadecimal digits of their bytes.</summary>
    public static IEnumerable<string> FoundIn(string text, IEnumerable<string> canaries) => canaries.Where(canary =>
        text.Contains(canary, StringComparison.OrdinalIgnoreCase)
        || text.Contains(Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(canary)), StringComparison.OrdinalIgnoreCase));
}
