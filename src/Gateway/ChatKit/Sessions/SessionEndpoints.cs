using System.Text.Json;
using Gateway.Bots;
using Gateway.Data;
using Gateway.Http;
using Gateway.Selectors;

namespace Gateway.ChatKit.Sessions;

/// <summary><c>/v1/chatkit/sessions</c>, as OpenAI's SDKs speak to it (<c>beta.chatkit.sessions</c>).</summary>
internal sealed class SessionEndpoints(
    SessionStore sessions, BotCatalog bots, BodyLimits limits, GatewaySettings settings, TimeProvider clock)
{
    /// <summary><c>POST /v1/chatkit/sessions</c>.</summary>
    public async Task CreateAsync(HttpContext http)
    {
        var cancel = http.RequestAborted;
        var caller = RequestFacts.Of(http).Caller!;
        var (body, refused) = await RequestBody.ReadJsonAsync(http, limits, cancel);
        if (body is null)
        {
            await refused!.RefuseAsync(http);
            return;
        }

        using (body)
        {
            var (request, error) = SessionRequest.Read(body.Memory);
            if (request is null)
            {
                await error!.RefuseAsync(http);
                return;
            }

            // One answer for what is not there and what the key may not use.
            if (!caller.MayUse(request.Bot) || bots.Find(caller, request.Bot.Id) is null)
            {
                await (ApiError.UnknownModel(request.Bot.Text) with { Param = "workflow.id" }).RefuseAsync(http);
                return;
            }

            request = request with { Options = Within(request.Options) };
            var (session, secret) = await sessions.CreateAsync(caller, request, cancel);
            await WriteAsync(http, session, secret, cancel);
        }
    }

    /// <summary><c>POST /v1/chatkit/sessions/{id}/cancel</c>. The reply's client secret is empty: the gateway has its hash alone.</summary>
    public async Task CancelAsync(HttpContext http)
    {
        var id = (string)http.GetRouteValue("id")!;
        var caller = RequestFacts.Of(http).Caller!;
        if (await sessions.CancelAsync(caller, id, http.RequestAborted) is not { } session)
        {
            await ApiError.NotFound("session").RefuseAsync(http);
            return;
        }

        await WriteAsync(http, session, "", http.RequestAborted);
    }

    /// <summary>Files as large as this gateway takes them.</summary>
    private SessionOptions Within(SessionOptions options) => options with
    {
        MostFileMegabytes = (int)Math.Clamp(settings.MaxUploadBytes / 1_048_576, 1, options.MostFileMegabytes),
    };

    private async Task WriteAsync(HttpContext http, Session session, string secret, CancellationToken cancel)
    {
        http.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(http.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteString("id", session.Id);
        json.WriteString("object", "chatkit.session");
        json.WriteString("client_secret", secret);
        json.WriteString("status", session.StatusAt(clock.GetUtcNow()));
        json.WriteNumber("expires_at", session.ExpiresAt.ToUnixTimeSeconds());
        json.WriteString("user", session.UserId);
        json.WriteNumber("max_requests_per_1_minute", session.RequestsPerMinute);
        json.WriteStartObject("rate_limits");
        json.WriteNumber("max_requests_per_1_minute", session.RequestsPerMinute);
        json.WriteEndObject();
        WriteWorkflow(json, session);
        WriteConfiguration(json, session.Options);
        WriteTexts(json, "allowed_origins", session.Options.AllowedOrigins);
        WriteTexts(json, "allowed_models", session.Options.AllowedModels);
        json.WriteEndObject();
        await json.FlushAsync(cancel);
    }

    private static void WriteWorkflow(Utf8JsonWriter json, Session session)
    {
        json.WriteStartObject("workflow");
        json.WriteString("id", Selector.ForBot(session.BotId).Canonical);
        if (session.Options.StateVariables.Count == 0)
        {
            json.WriteNull("state_variables");
        }
        else
        {
            json.WriteStartObject("state_variables");
            foreach (var (name, value) in session.Options.StateVariables)
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }

            json.WriteEndObject();
        }

        json.WriteStartObject("tracing");
        // What is traced is the operator's to say, not a session's.
        json.WriteBoolean("enabled", false);
        json.WriteEndObject();
        json.WriteNull("version");
        json.WriteEndObject();
    }

    private static void WriteConfiguration(Utf8JsonWriter json, SessionOptions options)
    {
        json.WriteStartObject("chatkit_configuration");
        json.WriteStartObject("automatic_thread_titling");
        json.WriteBoolean("enabled", options.Titles);
        json.WriteEndObject();
        json.WriteStartObject("file_upload");
        json.WriteBoolean("enabled", options.Files);
        json.WriteNumber("max_files", options.MostFiles);
        json.WriteNumber("max_file_size", options.MostFileMegabytes);
        json.WriteEndObject();
        json.WriteStartObject("history");
        json.WriteBoolean("enabled", options.History);
        if (options.RecentThreads is { } recent)
        {
            json.WriteNumber("recent_threads", recent);
        }
        else
        {
            json.WriteNull("recent_threads");
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
