using System.Text.Json.Nodes;
using Gateway.Usage;

namespace Gateway.Tests.Usage;

/// <summary>A request's row goes into the journal and comes out of it as it was, or as Postgres can take it.</summary>
public sealed class JournalRecordTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 21, 10, 30, 0, 123, TimeSpan.Zero);

    [Fact]
    public void An_end_holds_the_whole_row()
    {
        var usage = Make(bot: "support");
        usage.IsStream = true;
        usage.Dispatch("gpt-4o", 12);
        usage.Add(new AttemptUsage("openai/gpt-4o", "gpt-4o", "429", 1, 2, null, 0, 0, 0, 0, false, 0));
        usage.Add(new AttemptUsage("azure/gpt4o-eu", "gpt-4o", "ok", 3.04, 250.55, 100, 20, 5, 30, 7, false, 0.00012m));
        usage.Dispatch("gpt-4o", 40);
        usage.Add(new AttemptUsage("openai/gpt-4o", "gpt-4o", "cut", 300, 2, null, 1, 0, 0, 0, true, 0.1m));
        usage.SawContent();
        var step = usage.BeginStep("support", 1, 1, "gpt-4o");
        step.Tools = ["ask_billing", "search\0"];
        step.Add(usage.Attempts[1]);
        usage.BeginStep("billing", 2, 1, "gpt-4o");

        var row = JournalRecord.Read(RecordKind.End, JournalRecord.End(usage, 200, "done", 512.25));

        Assert.Equal((usage.Subject.WorkspaceId, usage.Subject.KeyId, usage.Id), (row.WorkspaceId, row.KeyId, row.Id));
        Assert.Equal((At.UtcDateTime, DateTimeKind.Utc, "req_1", "/v1/chat/completions"), (row.At, row.At.Kind, row.RequestId, row.Route));
        Assert.Equal(("bot/id=support", "support", "gpt-4o", "azure/gpt4o-eu"), (row.Selector, row.Bot, row.Model, row.Deployment));
        Assert.Equal((200, "done", true, true, 2), (row.Status, row.EndReason, row.IsStream, row.IsEstimated, row.Steps));
        Assert.Equal((21L, 5L, 30L, 7L, 0.10012m), (row.InputTokens, row.CachedInputTokens, row.OutputTokens, row.ReasoningTokens, row.Usd!.Value));
        Assert.Equal((512.25, usage.FirstContentMs), (row.DurationMs, row.FirstContentMs));
        var attempts = JsonNode.Parse(row.Attempts)!.AsArray();
        Assert.Equal(["429", "ok", "cut"], attempts.Select(a => (string?)a!["outcome"]));
        Assert.Equal(
            """{"deployment":"azure/gpt4o-eu","model":"gpt-4o","outcome":"ok","started_ms":3,"duration_ms":250.6,"first_content_ms":100,"input_tokens":20,"cached_input_tokens":5,"output_tokens":30,"reasoning_tokens":7,"is_estimated":false,"usd":0.00012}""",
            attempts[1]!.ToJsonString());
        Assert.Equal(
            """[{"bot":"support","depth":1,"step":1,"model":"gpt-4o","tools":["ask_billing","search?"],"input_tokens":20,"output_tokens":30,"usd":0.00012,"duration_ms":250.6},{"bot":"billing","depth":2,"step":1,"model":"gpt-4o","tools":[],"input_tokens":0,"output_tokens":0,"usd":0,"duration_ms":0}]""",
            JsonNode.Parse(row.StepList)!.ToJsonString());
    }

    [Fact]
    public void A_record_of_before_steps_were_told_is_read()
    {
        var usage = Make(bot: "support");
        usage.Add(new AttemptUsage("p/m", "m", "ok", 1, 2, null, 3, 0, 4, 0, false, 0));
        var record = JournalRecord.End(usage, 200, "done", 1).ToArray();

        // The empty list and its length stand behind what there was.
        var old = record[..^("[]".Length + sizeof(long))];
        old[0] = 1;
        var row = JournalRecord.Read(RecordKind.End, old);

        Assert.Equal((200, 3L, "[]"), (row.Status, row.InputTokens, row.StepList));
        Assert.Equal(JsonNode.Parse(JournalRecord.Read(RecordKind.End, record).Attempts)!.ToJsonString(), JsonNode.Parse(row.Attempts)!.ToJsonString());
    }

    [Fact]
    public void A_start_is_the_row_of_a_request_that_was_lost()
    {
        var usage = Make();
        usage.IsStream = true;

        var record = JournalRecord.Start(usage, "gpt-4o", 77);
        var row = JournalRecord.Read(RecordKind.Start, record);

        Assert.Equal(usage.Id, JournalRecord.IdOf(record));
        Assert.Equal(("lost", 0, true, 77L, 0L, 1), (row.EndReason, row.Status, row.IsEstimated, row.InputTokens, row.OutputTokens, row.Steps));
        Assert.Equal(("gpt-4o", true, "[]"), (row.Model, row.IsStream, row.Attempts));
        Assert.Null(row.Bot);
        Assert.Null(row.Usd);
    }

    [Fact]
    public void What_Postgres_would_not_take_is_replaced()
    {
        var usage = Make(selector: "model/name=a\0b\ud800c" + new string('ü', 5_000));
        usage.Add(new AttemptUsage("p/\0\ud800", "m\0", "ok", double.NaN, double.PositiveInfinity, null, 1, 0, 1, 0, false, null));

        var row = JournalRecord.Read(RecordKind.End, JournalRecord.End(usage, 200, "done\0", double.NaN));

        Assert.StartsWith("model/name=a?b\ufffdcü", row.Selector, StringComparison.Ordinal);
        Assert.Equal(512, row.Selector.Length);
        Assert.Equal(("done?", 0.0, "m?", "p/?\ufffd"), (row.EndReason, row.DurationMs, row.Model, row.Deployment));
        Assert.Null(row.Usd);
        Assert.DoesNotContain("\\u0000", row.Attempts, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("p/?\ufffd", (string?)JsonNode.Parse(row.Attempts)![0]!["deployment"]);
    }

    [Fact]
    public void A_request_of_very_many_attempts_keeps_its_sums_and_fits()
    {
        var usage = Make();
        for (var i = 0; i < 10_000; i++)
        {
            usage.Add(new AttemptUsage("p/m", "m", "ok", 0, 0, null, 1, 0, 2, 0, false, 0.5m));
            usage.BeginStep(new string('b', 600), 1, i, "m").Tools = [.. Enumerable.Repeat(new string('t', 64), 100)];
        }

        var record = JournalRecord.End(usage, 200, "done", 1).ToArray();
        var row = JournalRecord.Read(RecordKind.End, record);

        Assert.InRange(record.Length, 1, 65_536 - RecordHead.Bytes);
        Assert.Equal((10_000L, 20_000L, 5_000m), (row.InputTokens, row.OutputTokens, row.Usd!.Value));
        Assert.InRange(JsonNode.Parse(row.Attempts)!.AsArray().Count, 100, 1_000);
        Assert.InRange(JsonNode.Parse(row.StepList)!.AsArray().Count, 2, 100);
    }

    [Fact]
    public void A_record_of_another_version_is_none()
    {
        var record = JournalRecord.Start(Make(), "m", 1).ToArray();
        record[0]++;

        Assert.Throws<FormatException>(() => JournalRecord.Read(RecordKind.Start, record));
        Assert.Throws<FormatException>(() => JournalRecord.Read(RecordKind.Start, record.AsSpan(0, 20)));
    }

    [Fact]
    public void Without_a_disk_rows_wait_in_memory_and_beyond_that_they_are_counted()
    {
        var journal = new UsageJournal(TimeProvider.System);
        for (var i = 0; i < 8_192 + 10; i++)
        {
            var usage = journal.Begin(Subject());
            usage.Dispatch("m", 1);
            usage.End(200, "done");
            usage.End(500, "again");
        }

        Assert.Equal((0L, 8_202L, 8_202L, 10L, 8_192L), (journal.Open, journal.UnwrittenStarts, journal.UnwrittenEnds, journal.LostRecords, journal.PendingRows));
        Assert.True(journal.TryTakeFromMemory(out var row));
        Assert.Equal(("done", 200), (row.EndReason, row.Status));
    }

    private static UsageSubject Subject(string? bot = null, string? selector = null) => new(
        Guid.NewGuid(), Guid.NewGuid(), "req_1", "/v1/chat/completions", selector ?? (bot is null ? "model/name=m" : $"bot/id={bot}"), bot);

    private static RequestUsage Make(string? bot = null, string? selector = null) =>
        new(new UsageJournal(TimeProvider.System), Subject(bot, selector), Guid.CreateVersion7(), At);
}
