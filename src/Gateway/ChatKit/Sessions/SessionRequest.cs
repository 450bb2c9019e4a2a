using System.Text.Json;
using Gateway.Http;
using Gateway.Selectors;

namespace Gateway.ChatKit.Sessions;

/// <summary>What <c>POST /v1/chatkit/sessions</c> asks for, in the form of OpenAI's own API with two members more.</summary>
/// <param name="Lifetime">From its creation.</param>
internal sealed record SessionRequest(string User, Selector.Bot Bot, SessionOptions Options, int RequestsPerMinute, TimeSpan Lifetime)
{
    /// <summary>Most characters of a user's id.</summary>
    public const int MaxUserLength = 512;

    private const int DefaultRequestsPerMinute = 10;
    private const int MaxTextLength = 512;
    private const int MaxItems = 64;
    private const int MaxVariableName = 64;
    private const int MaxVariableLength = 4_096;

    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(1);

    public static (SessionRequest? Request, ApiError? Error) Read(ReadOnlyMemory<byte> body)
    {
        if (!JsonBody.TryRead(body, null, out _, out var malformed))
        {
            return (null, malformed);
        }

        using var json = JsonDocument.Parse(body);
        var read = new ObjectReader(json.RootElement);
        var user = read.RequiredText("user", MaxUserLength);
        var workflow = read.Object("workflow");
        if (!read.Has("workflow"))
        {
            read.Fail(ApiError.MissingParameter("workflow"));
        }

        var bot = Selector.Parse(workflow.RequiredText("id", Selector.MaxLength)) as Selector.Bot;
        if (bot is null)
        {
            read.Fail(ApiError.InvalidValue("workflow.id", "expected a bot's selector, 'bot/id=<id>'."));
        }

        if (workflow.Text("version", MaxTextLength) is not null)
        {
            read.Fail(ApiError.InvalidValue("workflow.version", "bots have no versions; leave it out."));
        }

        var options = ReadOptions(read, workflow);
        var request = new SessionRequest(
            user, bot!, options,
            read.Object("rate_limits").Number("max_requests_per_1_minute", 1, 1_000_000) ?? DefaultRequestsPerMinute,
            ReadLifetime(read.Object("expires_after")));
        return read.Error is { } error ? (null, error) : (request, null);
    }

    private static SessionOptions ReadOptions(ObjectReader read, ObjectReader workflow)
    {
        var defaults = new SessionOptions();
        var configuration = read.Object("chatkit_configuration");
        var files = configuration.Object("file_upload");
        var history = configuration.Object("history");
        return new SessionOptions
        {
            Titles = configuration.Object("automatic_thread_titling").Flag("enabled") ?? defaults.Titles,
            Files = files.Flag("enabled") ?? defaults.Files,
            MostFiles = files.Number("max_files", 1, 10_000) ?? defaults.MostFiles,
            MostFileMegabytes = files.Number("max_file_size", 1, defaults.MostFileMegabytes) ?? defaults.MostFileMegabytes,
            History = history.Flag("enabled") ?? defaults.History,
            RecentThreads = history.Number("recent_threads", 1, int.MaxValue),
            AllowedOrigins = ReadOrigins(read),
            AllowedModels = ReadModels(read),
            StateVariables = workflow.Primitives("state_variables", MaxItems, MaxVariableName, MaxVariableLength),
        };
    }

    private static IReadOnlyList<string> ReadOrigins(ObjectReader read)
    {
        var origins = read.Texts("allowed_origins", MaxItems, MaxTextLength);
        foreach (var origin in origins)
        {
            if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")
                || uri.GetLeftPart(UriPartial.Authority) != origin)
            {
                read.Fail(ApiError.InvalidValue("allowed_origins", "expected origins such as 'https://app.example.com'."));
            }
        }

        return origins;
    }

    private static IReadOnlyList<string> ReadModels(ObjectReader read)
    {
        var models = read.Texts("allowed_models", MaxItems, Selector.MaxLength);
        if (models.Any(model => !Selector.IsPattern(model)))
        {
            read.Fail(ApiError.InvalidValue("allowed_models", $"expected selectors, {Selector.Forms}, exact or ending in '*'."));
        }

        return models;
    }

    private static TimeSpan ReadLifetime(ObjectReader expires)
    {
        if (expires.Text("anchor", MaxTextLength) is { } anchor && anchor != "created_at")
        {
            expires.Fail(ApiError.InvalidValue("expires_after.anchor", "expected 'created_at'."));
        }

        return expires.Number("seconds", 1, (int)LongestLifetime.TotalSeconds) is { } seconds
            ? TimeSpan.FromSeconds(seconds)
            : DefaultLifetime;
    }
}
