using System.Collections.Frozen;
using System.Globalization;
using static Gateway.Admin.File.FileShape;

namespace Gateway.Admin.File;

/// <summary>The single values and free maps that several objects of the file have. Uses no other shapes, which use it.</summary>
internal static class FileTexts
{
    /// <summary>The greatest rate, number of tokens and number of requests that can be set, in the file and for keys.</summary>
    public const int MaxCount = 1_000_000_000;

    public static readonly Text Line = new(Expected: "text on one line");
    public static readonly Text Prose = new(MaxLength: 2_000, HasLines: true);
    public static readonly Text ProviderName = Simple("a provider's name");
    public static readonly Text WorkspaceName = Lower("a workspace's name");
    public static readonly Text SecretName = Simple("a secret's name");
    public static readonly Text DatasetName = Simple("a dataset's name");
    public static readonly Text SkillsetName = Simple("a skillset's name");
    public static readonly Text BotId = Lower("a bot's id");
    public static readonly Text ModelName = new(
        Pattern: @"^(\*|[^\s*]+)$", Expected: "a model's name without spaces, or \"*\" for any other name");
    public static readonly Text ExactModelName = new(
        Pattern: @"^[^\s*]+$", Expected: "a model's name without spaces or '*'");
    public static readonly Text ParameterName = new(Pattern: @"^\S+$", Expected: "a parameter's name");
    public static readonly Text HeaderName = new(Pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", Expected: "a header's name");
    public static readonly Text Credential = new(
        MaxLength: 16_384, Pattern: "^[ -~]+$", Expected: "printable ASCII on one line", IsSecret: true);
    public static readonly Duration Clock = new(TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(24));
    public static readonly Number Count = new(1, MaxCount, IsWhole: true);
    public static readonly Number UsdPerMillion = new(0, 1_000_000, IsWhole: false);
    public static readonly Flag YesNo = new();

    /// <summary>In <see cref="Manager"/>: the API's.</summary>
    public const string Api = "api";

    /// <summary>Of every object that has a row of its own.</summary>
    public static readonly Field Manager = new(
        "managed", new Text(OneOf: ["file", Api]),
        "Who changes it: this file, or the API (api). Then it is made if it is missing, and otherwise left as it is: so an export has "
        + "what the API made.",
        Default: "file");

    /// <summary>Headers that belong to the connection, which the gateway makes.</summary>
    public static readonly string[] ConnectionHeaders =
    [
        "accept-encoding", "connection", "content-encoding", "content-length", "expect", "keep-alive", "te", "trailer",
        "transfer-encoding", "upgrade",
    ];

    // .NET keeps these with a request's body, and puts them on no request that has none.
    public static readonly string[] BodyHeaders =
    [
        "allow", "content-disposition", "content-language", "content-location", "content-md5", "content-range", "expires",
        "last-modified",
    ];

    public static RefusedNames Headers(params IEnumerable<string> setByGateway) => new(
        StringComparer.OrdinalIgnoreCase,
        setByGateway.Select(name => (name, Reason: "the gateway sets it itself"))
            .Concat(BodyHeaders.Select(name => (name, Reason: "it describes one body and cannot be sent with every request")))
            .ToFrozenDictionary(header => header.name, header => header.Reason, StringComparer.OrdinalIgnoreCase));

    /// <summary>A name in which upper case and dots may stand.</summary>
    public static Text Simple(string what) => new(
        Pattern: "^[A-Za-z0-9][A-Za-z0-9._-]*$", Expected: $"{what}: letters, digits, '.', '_' and '-', a letter or digit first");

    public static Text Lower(string what) =>
        new(Pattern: "^[a-z0-9_-]+$", Expected: $"{what}: lower-case letters, digits, '_' and '-'");

    public static string Show(double value) => value.ToString(CultureInfo.InvariantCulture);
}
