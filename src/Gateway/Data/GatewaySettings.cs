using System.ComponentModel.DataAnnotations;

namespace Gateway.Data;

/// <summary>What the operator sets, section <c>Gateway</c> (environment: <c>Gateway__DataDirectory</c> and so on).</summary>
internal sealed class GatewaySettings
{
    public const string Section = "Gateway";

    /// <summary>Embedded database and local keys. <c>./data</c> by default.</summary>
    public string DataDirectory { get; set; } = "./data";

    /// <summary>Postgres connection string; set from <c>ConnectionStrings:Gateway</c>. Empty: embedded Postgres.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>Global admin key. Empty: the first instance makes one in the data directory.</summary>
    public string AdminKey { get; set; } = "";

    /// <summary>Where <c>/admin</c> listens alone, as <c>http://host:port</c>, several with <c>;</c>. Empty: with the rest.</summary>
    public string AdminUrls { get; set; } = "";

    /// <summary>32 bytes as base64. Empty: made in the data directory while the database holds nothing sealed.</summary>
    public string EncryptionKey { get; set; } = "";

    /// <summary>A YAML file that is applied at start and whenever it changes. Empty: none.</summary>
    public string Apply { get; set; } = "";

    /// <summary>Whether migrations are applied at start. True by default.</summary>
    public bool Migrate { get; set; } = true;

    /// <summary>Largest JSON body, in bytes. 20 MiB by default.</summary>
    [Range(1_024, 1_073_741_824)]
    public int MaxRequestBytes { get; set; } = 20 * 1_048_576;

    /// <summary>Largest multipart body, in bytes. 64 MiB by default.</summary>
    [Range(1_024, 10_737_418_240)]
    public long MaxUploadBytes { get; set; } = 64 * 1_048_576;

    /// <summary>
    /// Where browsers reach the gateway, as <c>https://host</c>: links to uploads and previews begin with it. Empty by default:
    /// as the request says.
    /// </summary>
    [RegularExpression(@"^https?://[^\s/?#]+(/[^\s?#]*)?$", ErrorMessage = "Expected an address such as https://gateway.example.")]
    public string PublicUrl { get; set; } = "";

    /// <summary>Where attachments' bytes are kept: <c>database</c> (default), or <c>disk</c>, under the data directory, which all gateways must share then.</summary>
    [AllowedValues("database", "disk", ErrorMessage = "Expected database or disk.")]
    public string Attachments { get; set; } = "database";

    /// <summary>Origins that browsers may call from, several with commas. <c>*</c> by default: any.</summary>
    public string CorsOrigins { get; set; } = "*";

    /// <summary>How long new requests are still served after SIGTERM, while the gateway says that it is not ready. 5 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan ShutdownDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long running requests may go on after that. One minute by default.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long usage rows are kept. 400 days by default; 0: for ever.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "36500.00:00:00")]
    public TimeSpan UsageRetention { get; set; } = TimeSpan.FromDays(400);

    /// <summary>Size of one file of the usage journal, in bytes. 4 MiB by default.</summary>
    [Range(65_536, 268_435_456)]
    public int JournalSegmentBytes { get; set; } = 4 * 1_048_576;

    /// <summary>How often configuration is polled, behind notifications. 5 s by default; 0 turns polling off.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Up to how many chunks of a dataset vectors are compared one by one. Above it an index of the pgvector extension finds
    /// them, and without the extension words alone do. 50,000 by default.
    /// </summary>
    [Range(1, 1_000_000)]
    public int VectorScanChunks { get; set; } = 50_000;

    /// <summary>How long a background job of a gateway that died waits for another one. 30 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan JobLease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The demo model and the demo bot. True by default.</summary>
    public bool Demo { get; set; } = true;

    /// <summary><c>json</c> or <c>text</c>. Empty by default: text at a terminal, JSON for everything else that reads it.</summary>
    [AllowedValues("", "json", "text", ErrorMessage = "Expected json or text.")]
    public string LogFormat { get; set; } = "";

    /// <summary>Key for the provider <c>openai</c> that exists while none is configured; from <c>OPENAI_API_KEY</c>.</summary>
    public Secret? OpenAiApiKey { get; set; }

    /// <summary>What was set under <c>Gateway</c> and means nothing, as the operator wrote it.</summary>
    public IReadOnlyList<string> Unknown { get; private set; } = [];

    /// <summary>What can be set under <c>Gateway</c>.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(GatewaySettings).GetProperties()
            .Where(p => p.SetMethod?.IsPublic == true && p.Name is not (nameof(ConnectionString) or nameof(OpenAiApiKey)))
            .Select(p => p.Name),
    ];

    public bool LogsAsJson => LogFormat.Length > 0 ? LogFormat == "json" : Console.IsOutputRedirected;

    public string AbsoluteDataDirectory => Path.GetFullPath(DataDirectory);

    /// <summary>Reads and checks the settings.</summary>
    /// <exception cref="SettingsException">A setting is out of range or of the wrong form; the message names it.</exception>
    public static GatewaySettings Read(IConfiguration configuration)
    {
        var settings = new GatewaySettings();
        try
        {
            configuration.GetSection(Section).Bind(settings);
        }
        catch (InvalidOperationException wrong)
        {
            // The framework's words name the setting and quote the value; only numbers, times and booleans can come here.
            throw new SettingsException($"{wrong.Message} In the environment ':' is written '__'.");
        }

        settings.ConnectionString = configuration.GetConnectionString("Gateway") ?? "";
        settings.OpenAiApiKey = configuration["OPENAI_API_KEY"] is { Length: > 0 } key ? new Secret(key) : null;

        settings.Unknown =
        [
            .. configuration.GetSection(Section).GetChildren().Select(set => set.Key)
                .Where(name => !Names.Contains(name, StringComparer.OrdinalIgnoreCase)),
        ];

        var found = new List<ValidationResult>();
        if (!Validator.TryValidateObject(settings, new ValidationContext(settings), found, validateAllProperties: true))
        {
            throw new SettingsException(string.Join(" ", found.Select(f => $"Setting {Section}__{f.MemberNames.First()}: {f.ErrorMessage}")));
        }

        return settings;
    }
}

/// <summary>The operator's settings do not allow a start. The message says which and what to do; nothing else does.</summary>
internal sealed class SettingsException(string message) : Exception(message);
