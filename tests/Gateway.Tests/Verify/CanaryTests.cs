using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Npgsql;

namespace Gateway.Tests.Verify;

/// <summary>
/// Secrets are in clear nowhere, and what callers and models say is in no log, trace, metric or error, even where an
/// operator has every log of ours and of the framework's on, and the provider quotes all it was sent.
/// </summary>
public sealed partial class CanaryTests(TestPostgres postgres, ITestOutputHelper output)
{
    private static readonly string[] Doors = ["model", "bot", "embeddings", "completions"];

    private readonly List<string> _secrets = [.. Canaries.Secrets];
    private readonly List<string> _found = [];
    private int _bodies;

    private IEnumerable<string> Everything => [.. _secrets, .. _links, .. Canaries.Contents];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Secrets_and_what_is_said_are_found_nowhere(bool isVerbose)
    {
        // Arrange
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using var relay = new DatabaseRelay(database);
        await using var upstream = await FakeUpstream.StartAsync();
        upstream.Answers(TattlingUpstream.Answers);
        await using var collector = await FakeUpstream.StartAsync();
        collector.Answers(Answer.Fixed([], contentType: "application/x-protobuf"));
        await using var gateway = await GatewayProcess.StartAsync(
            new GatewayLaunch { ConnectionString = relay.ConnectionString, Yaml = Yaml(upstream.BaseUrl), Settings = Settings(collector, isVerbose) },
            Cancel);

        _secrets.Add(new NpgsqlConnectionStringBuilder(database).Password!);

        // Act
        var key = await KeyAsync(gateway);
        await AskEverythingAsync(gateway, key);
        await ChatEverywhereAsync(gateway, key);
        await RefuseEverythingAsync(gateway, key);
        await AdministerAsync(gateway);
        Look("metrics", await GetAsync(gateway, "/metrics", Canaries.AdminKey));
        relay.Cut();
        await AskEverythingAsync(gateway, key);
        await ChatWithoutDatabaseAsync(gateway);
        // What is in the journal now has not been shipped.
        await gateway.KillAsync();
        var journal = LookIntoFiles(gateway.DataDirectory);
        Look("log", gateway.Output + gateway.LastWords);
        Assert.Contains("/chatkit", gateway.Output, StringComparison.Ordinal);
        relay.Restore();
        await gateway.StartAgainAsync(Cancel);
        await AskEverythingAsync(gateway, key);
        Assert.Equal(0, await gateway.StopAsync(Cancel));
        Look("log", gateway.Output + gateway.LastWords);
        var traces = string.Concat(collector.Requests.Select(r => Encoding.Latin1.GetString(r.Body)));
        Look("traces", traces);
        Assert.Contains("/chatkit", traces, StringComparison.Ordinal);
        var rows = await LookIntoDatabaseAsync(database);
        output.WriteLine(
            $"looked into {gateway.Output.Length} characters of log, {collector.Requests.Sum(r => r.Body.Length)} bytes of traces, "
            + $"{journal} bytes of journal, {rows} rows and {_bodies} error bodies for {Everything.Count()} canaries");

        // Assert: that there was something to look into, and that nothing was found in it.
        Assert.True(_found.Count == 0, string.Join('\n', _found.Distinct()));
        Assert.True(journal > 1_000, $"{journal} bytes of journal");
        Assert.True(rows > 200, $"{rows} rows");
        Assert.True(collector.Requests.Count > 0);
        Assert.Contains("chat/completions", gateway.Output, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Settings(FakeUpstream collector, bool isVerbose)
    {
        var settings = new Dictionary<string, string>
        {
            ["Gateway__AdminKey"] = Canaries.AdminKey,
            ["Gateway__EncryptionKey"] = Canaries.EncryptionKey,
            ["OPENAI_API_KEY"] = Canaries.OpenAiKey,
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.BaseUrl[..^"/v1".Length],
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
        };
        if (isVerbose)
        {
            settings["Serilog__MinimumLevel__Default"] = "Verbose";
            foreach (var source in (string[])["Microsoft", "System", "Yarp", "Npgsql", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Hosting.Diagnostics"])
            {
                settings[$"Serilog__MinimumLevel__Override__{source}"] = "Verbose";
            }
        }

        return settings;
    }

    private async Task<string> KeyAsync(GatewayProcess gateway)
    {
        using var client = gateway.Client(Canaries.AdminKey);
        using var reply = await client.PostAsync(
            "/admin/v1/keys", new StringContent("""{"workspace":"acme","name":"canary"}""", Encoding.UTF8, "application/json"), Cancel);
        reply.EnsureSuccessStatusCode();
        var key = JsonNode.Parse(await reply.Content.ReadAsStringAsync(Cancel))!["key"]!.GetValue<string>();
        _secrets.Add(key);
        return key;
    }

    /// <summary>Every answer of the upstream, through every door, whole and streamed.</summary>
    private async Task AskEverythingAsync(GatewayProcess gateway, string key)
    {
        using var client = gateway.Client(key);
        await Task.WhenAll(
            from model in TattlingUpstream.Models
            from door in Doors
            from isStream in (bool[])[false, true]
            select AskAsync(client, door, model, isStream));
    }

    private async Task AskAsync(HttpClient client, string door, string model, bool isStream)
    {
        var selector = door == "bot" ? $"bot/id={model}" : $"model/name={model}";
        var (path, said) = door switch
        {
            "embeddings" => (door, new JsonObject { ["input"] = Canaries.Prompt }),
            "completions" => (door, new JsonObject { ["prompt"] = Canaries.Prompt, ["stream"] = isStream }),
            _ => ("chat/completions", new JsonObject
            {
                ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = Canaries.Prompt }),
                ["stream"] = isStream,
                ["temperature"] = 0.5,
            }),
        };
        said["model"] = selector;
        var body = said.ToJsonString();
        RawReply reply;
        try
        {
            reply = await RawReply.PostAsync(client, $"/v1/{path}", body, Cancel);
        }
        catch (HttpRequestException)
        {
            // A reply that is passed through and breaks off takes the connection with it, perhaps with the headers unread.
            return;
        }

        var isPassedOn = model == "ok" || (door is "embeddings" && reply.Status == 200) || (door == "completions" && reply.Status == 200);
        if (isPassedOn)
        {
            return;
        }

        Interlocked.Increment(ref _bodies);
        // An upstream's words on a request are that caller's to read, who knows its own prompt; the operator's secrets are not.
        var wrong = TattlingUpstream.IsTheCallersToRead(model) || reply.Status == 200 ? _secrets : [.. _secrets, .. Canaries.Contents];
        Look($"error body, {door} {model} {(isStream ? "streamed" : "plain")}", Text(reply), wrong);
    }

    /// <summary>What we refuse ourselves: never with the words that were said.</summary>
    private async Task RefuseEverythingAsync(GatewayProcess gateway, string key)
    {
        using var client = gateway.Client(key);
        string[] bodies =
        [
            """{"model":"model/name=ok","messages":"PROMPT"}""",
            """{"model":"model/name=ok","messages":["PROMPT"]}""",
            """{"model":"model/name=ok","messages":[{"role":"user","content":{"PROMPT":1}}]}""",
            """{"model":"model/name=ok","messages":[{"role":"PROMPT","content":7}]}""",
            """{"model":"model/name=ok","temperature":"PROMPT","messages":[{"role":"user","content":"x"}]}""",
            """{"model":"model/name=ok","stream":"PROMPT","messages":[{"role":"user","content":"x"}]}""",
            """{"model":"model/name=ok","n":"PROMPT","stop":{"PROMPT":1},"messages":[{"role":"user","content":"x"}]}""",
            """{"model":"bot/id=ok","n":2,"messages":[{"role":"user","content":"PROMPT"}]}""",
            """{"model":"bot/id=none","messages":[{"role":"user","content":"PROMPT"}]}""",
            """{"model":"gpt-4o","messages":[{"role":"user","content":"PROMPT"}]}""",
            """{"model":"model/name=none","messages":[{"role":"user","content":"PROMPT"}]}""",
            """{"messages":[{"role":"user","content":"PROMPT"}]}""",
            """{"model":"model/name=ok","messages":[{"role":"user","content":"PROMPT""",
            """{"model":"model/name=ok" PROMPT "messages":[]}""",
            "PROMPT",
            """{"model":"model/name=ok","messages":[{"role":"user","content":"PROMPT\ud800"}]}""",
        ];
        foreach (var path in (string[])["chat/completions", "embeddings", "completions", "moderations", "audio/speech", "images/generations"])
        {
            foreach (var body in bodies.Select(text => text.Replace("PROMPT", Canaries.Prompt, StringComparison.Ordinal)))
            {
                var reply = await RawReply.PostAsync(client, $"/v1/{path}", body, Cancel);
                if (reply.Status >= 400)
                {
                    _bodies++;
                    Look($"refusal of {body} at {path}", Text(reply));
                }
            }
        }

        foreach (var credential in (string[])[Canaries.MistypedKey, $"{Canaries.MistypedKey} x", $"Basic {Canaries.MistypedKey}"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{gateway.BaseUrl}/v1/chat/completions");
            request.Headers.TryAddWithoutValidation("Authorization", credential.StartsWith("Basic", StringComparison.Ordinal) ? credential : $"Bearer {credential}");
            Look("refusal of a key", Text(await RawReply.ReadAsync(client, request, Cancel)));
        }

        // A header that the server cannot read, which the framework would quote.
        using var socket = new TcpClient();
        await socket.ConnectAsync(new Uri(gateway.BaseUrl).Host, new Uri(gateway.BaseUrl).Port, Cancel);
        await socket.GetStream().WriteAsync(
            Encoding.ASCII.GetBytes($"POST /v1/chat/completions?{Canaries.Prompt} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\0\r\n\r\n"), Cancel);
        using var rest = new StreamReader(socket.GetStream());
        Look("refusal of a header", await rest.ReadToEndAsync(Cancel));
    }

    private async Task AdministerAsync(GatewayProcess gateway)
    {
        foreach (var path in (string[])["keys", "deployments", "usage", "usage?group_by=key", "audit", "workspaces", "models", "web", "secrets?workspace=acme", "bots?workspace=acme"])
        {
            Look($"GET /admin/v1/{path}", await GetAsync(gateway, $"/admin/v1/{path}", Canaries.AdminKey));
        }

        // The operator sees the address of a provider as it is configured.
        foreach (var path in (string[])["providers", "export"])
        {
            Look($"GET /admin/v1/{path}", await GetAsync(gateway, $"/admin/v1/{path}", Canaries.AdminKey), [.. Everything.Where(s => s != Canaries.ProviderPath)]);
        }

        using var client = gateway.Client(Canaries.AdminKey);
        foreach (var body in (string[])["{}", """{"workspace":"none","name":"x"}""", """{"workspace":"acme","name":"x","rpm":"y"}"""])
        {
            var reply = await RawReply.PostAsync(client, "/admin/v1/keys", body, Cancel);
            Assert.True(reply.Status >= 400);
        }

        // Files that are refused, each with secrets in the wrong places; the gateway itself, which watches the file, says so too.
        var good = await File.ReadAllTextAsync(gateway.YamlFile, Cancel);
        foreach (var bad in (string[])
            [
                $$"""
                providers:
                  - { name: a, baseUrl: "http://user:{{Canaries.BadFile}}@127.0.0.1/v1" }
                  - { name: b, baseUrl: "http://127.0.0.1/v1?key={{Canaries.BadFile}}" }
                  - { name: c, baseUrl: "http://127.0.0.1/v1", apiKey: [ {{Canaries.BadFile}} ] }
                  - { name: d, baseUrl: "http://127.0.0.1/v1", apiKey: "{{Canaries.BadFile}}\u0007" }
                  - { name: e, baseUrl: "http://127.0.0.1/v1", headers: { x: "{{Canaries.BadFile}}\u0007" } }
                workspaces:
                  - { name: w, secrets: [ { name: x, value: "{{Canaries.BadFile}}" }, { name: x, value: "{{Canaries.BadFile}}" } ] }
                  - { name: v, secrets: [ { name: x, value: [ "{{Canaries.BadFile}}" ] } ] }
                """,
                $"providers: [ {{ name: a, apiKey: \"{Canaries.BadFile}\" ",
            ])
        {
            await File.WriteAllTextAsync(gateway.YamlFile, bad, Cancel);
            var result = await gateway.RunCommandAsync(["apply", "-f", gateway.YamlFile, "--dry-run"], Cancel);
            Assert.NotEqual(0, result.ExitCode);
            Look($"apply of {bad}", result.ToString());
        }

        await File.WriteAllTextAsync(gateway.YamlFile, good, Cancel);
    }

    private static async Task<string> GetAsync(GatewayProcess gateway, string path, string key)
    {
        using var client = gateway.Client(key);
        return await client.GetAsync(path, Cancel) is var reply ? Headers(reply) + await reply.Content.ReadAsStringAsync(Cancel) : "";
    }

    private static string Headers(HttpResponseMessage reply) => $"{reply.ReasonPhrase} {reply.Headers} {reply.Content.Headers}";

    private static string Text(RawReply reply) => reply.Text + string.Concat(reply.Headers.Select(h => $"\n{h.Key}: {h.Value}"));

    private void Look(string where, string text, IEnumerable<string>? canaries = null)
    {
        var found = Canaries.FoundIn(text, canaries ?? Everything)
            .Select(canary => $"{canary} in {where}: {Around(text, canary)}").ToList();
        lock (_found)
        {
            _found.AddRange(found);
        }
    }

    private static string Around(string text, string canary)
    {
        var at = text.IndexOf(canary, StringComparison.OrdinalIgnoreCase);
        return at < 0 ? "(as bytes)" : text[Math.Max(0, at - 160)..Math.Min(text.Length, at + canary.Length + 60)].ReplaceLineEndings(" ");
    }

    /// <summary>How much there was.</summary>
    private long LookIntoFiles(string directory)
    {
        var journal = 0L;
        foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
        {
            var bytes = File.ReadAllBytes(file);
            Look($"the file {Path.GetRelativePath(directory, file)}", Encoding.Latin1.GetString(bytes));
            journal += file.Contains("journal", StringComparison.Ordinal) ? bytes.Count(b => b != 0) : 0;
        }

        return journal;
    }

    /// <summary>Every column of every table, as text; bytes as hexadecimal digits. How many rows there were.</summary>
    private async Task<int> LookIntoDatabaseAsync(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancel);
        var tables = new List<string>();
        await using (var list = new NpgsqlCommand(
            "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables"
            + " WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')", connection))
        await using (var names = await list.ExecuteReaderAsync(Cancel))
        {
            while (await names.ReadAsync(Cancel))
            {
                tables.Add(names.GetString(0));
            }
        }

        var count = 0;
        foreach (var table in tables)
        {
#pragma warning disable CA2100 // The name is the database's own, quoted by it.
            await using var rows = new NpgsqlCommand($"SELECT t::text FROM {table} t", connection);
#pragma warning restore CA2100
            await using var reader = await rows.ExecuteReaderAsync(Cancel);
            while (await reader.ReadAsync(Cancel))
            {
                count++;
                // An address is configuration, in clear for whoever may read the table; a key has its own place. What is said
                // in a chat is kept in its thread, and nowhere else.
                Look(
                    $"the table {table}", reader.GetString(0),
                    [.. _secrets.Where(s => s != Canaries.ProviderPath), .. table.Contains("chatkit_", StringComparison.Ordinal) ? [] : Canaries.Contents]);
            }
        }

        return count;
    }

    private static string Yaml(string baseUrl)
    {
        var models = string.Join('\n', TattlingUpstream.Models.Select(name =>
            $"  - {{ name: {name}, retries: 0, breaker: {{ minimum: 100000 }}, deployments: [ {{ provider: tattler, model: {name} }} ] }}"));
        var bots = string.Join('\n', TattlingUpstream.Models.Select(name => $"      - {{ id: {name}, name: B, model: {name}, backstory: Be. }}"));
        return $$"""
            providers:
              - name: tattler
                baseUrl: "{{baseUrl}}/{{Canaries.ProviderPath}}"
                apiKey: "{{Canaries.ProviderKey}}"
                headers: { x-operators-token: "{{Canaries.ProviderHeader}}" }
            models:
            {{models}}
            workspaces:
              - name: acme
                secrets: [ { name: token, value: "{{Canaries.WorkspaceSecret}}" } ]
                bots:
            {{bots}}
            """;
    }
}
