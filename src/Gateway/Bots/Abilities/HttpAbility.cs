using System.Text;
using System.Text.Json;
using Gateway.Bots.Egress;
using Gateway.Data;

namespace Gateway.Bots.Abilities;

/// <summary>A request as it is shown to people: secrets are marks.</summary>
/// <param name="Body">Null: none.</param>
internal sealed record ShownRequest(string Method, string Url, IReadOnlyDictionary<string, string> Headers, string? Body);

/// <summary>What became of one call of an ability.</summary>
/// <param name="Request">Null: none was made.</param>
/// <param name="Status">Of the reply; null: there was none.</param>
internal sealed record AbilityOutcome(ToolResult Result, ShownRequest? Request = null, int? Status = null);

/// <summary>An ability that is one HTTP request. Immutable; safe for concurrent use.</summary>
internal sealed class HttpAbility
{
    private readonly HttpSettings _settings;
    private readonly ArgumentSchema _schema;
    private readonly string _name;

    /// <exception cref="FormatException">Its settings or parameters cannot be read.</exception>
    public HttpAbility(Ability ability)
    {
        try
        {
            using var settings = JsonDocument.Parse(ability.Settings);
            using var parameters = JsonDocument.Parse(ability.Parameters);
            (_settings, _schema, _name) = (new HttpSettings(settings.RootElement), new ArgumentSchema(parameters.RootElement), ability.Name);
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            throw new FormatException("Its settings or parameters cannot be read.", wrong);
        }
    }

    public ReadOnlyMemory<byte> Parameters => _schema.Json;

    public TimeSpan Timeout => _settings.Timeout;

    /// <summary>Checks the arguments, makes the request, and reads the reply.</summary>
    /// <param name="secrets">Of the workspace.</param>
    /// <exception cref="OperationCanceledException">The caller left, or the time of the turn is over.</exception>
    public async Task<AbilityOutcome> RunAsync(
        EgressGuard guard, JsonElement arguments, IReadOnlyDictionary<string, Secret> secrets, CancellationToken cancel)
    {
        if (_schema.Mistakes(arguments) is { } mistakes)
        {
            return new AbilityOutcome(ToolResult.Failed(mistakes));
        }

        var concealed = new Concealment(_settings.Secrets.Where(secrets.ContainsKey).Select(name => secrets[name]));
        ShownRequest? shown = null;
        try
        {
            var request = _settings.Fill(new TemplateValues(arguments, name => secrets.GetValueOrDefault(name)?.Reveal()));
            shown = Show(arguments);
            var reply = await guard.SendAsync(request, cancel);
            return new AbilityOutcome(ReplyText.Of(reply, _name, _settings.Pick, concealed), shown, reply.Status);
        }
        catch (Exception failed) when (failed is AbilityException or EgressException)
        {
            return new AbilityOutcome(ToolResult.Failed(concealed.Conceal(failed.Message)), shown);
        }
        catch (Exception failed) when (failed is FormatException or ArgumentException or InvalidOperationException)
        {
            // A value that HTTP has no room for; what it is stays untold, it may be a secret.
            return new AbilityOutcome(ToolResult.Failed("The request could not be made of these arguments."), shown);
        }
    }

    private ShownRequest Show(JsonElement arguments)
    {
        var masked = _settings.Fill(new TemplateValues(arguments, _ => Concealment.Mark));
        var headers = masked.Headers.GroupBy(h => h.Name, StringComparer.OrdinalIgnoreCase).ToDictionary(h => h.Key, h => h.First().Value);
        if (masked.ContentType is not null)
        {
            headers["content-type"] = masked.ContentType;
        }

        return new ShownRequest(
            masked.Method.Method,
            masked.Url.AbsoluteUri.Replace(Uri.EscapeDataString(Concealment.Mark), Concealment.Mark, StringComparison.OrdinalIgnoreCase),
            headers, masked.Body is null ? null : Encoding.UTF8.GetString(masked.Body));
    }
}

/// <summary>An <see cref="HttpAbility"/> as a tool of a bot.</summary>
internal sealed class HttpAbilityTool(Ability ability, HttpAbility http, EgressGuard guard) : BotTool
{
    public override string Name => ability.Name;

    public override ToolKind Kind => ToolKind.Ability;

    public override string Description => ability.Description;

    public override ReadOnlyMemory<byte> Parameters => http.Parameters;

    /// <summary>Longer than its own clock, which has the better words.</summary>
    public override TimeSpan Timeout => http.Timeout + TimeSpan.FromSeconds(2);

    public override async Task<ToolResult> RunAsync(JsonElement arguments, TurnContext turn, CancellationToken cancel) =>
        (await http.RunAsync(guard, arguments, turn.Bot.Secrets, cancel)).Result;
}
