using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;

namespace Gateway.Tests.Usage;

/// <summary>Every authenticated request with a valid selector is one row, however it ends.</summary>
public sealed class UsageRowTests(SharedUsageGateway shared) : UsageTest(shared)
{
    [Fact]
    public async Task Requests_are_rows_that_say_what_became_of_them()
    {
        Assert.Equal(200, await Gateway.AskAsync("plain", cancel: Cancel));
        Assert.Equal(200, await Gateway.AskAsync("of-bot", "bot/id=helper", cancel: Cancel));
        Assert.Equal(404, await Gateway.AskAsync("unknown", "model/name=nothing", cancel: Cancel));
        Assert.Equal(400, await Gateway.AskAsync("no-selector", "nothing", cancel: Cancel));

        Assert.Equal(200, await Gateway.AskAsync("stream", stream: true, cancel: Cancel));

        Gateway.Upstream.Reset();
        Gateway.Upstream.Answers(Answer.Refusal(500));
        Assert.Equal(500, await Gateway.AskAsync("failed", cancel: Cancel));

        var rows = (await Gateway.RowsAsync(5, Cancel)).ToDictionary(r => r.RequestId);
        Assert.Equal(
            ("model/name=m", null, "m", "fake/real", 200, "done", false, 1),
            (rows["plain"].Selector, rows["plain"].Bot, rows["plain"].Model, rows["plain"].Deployment, rows["plain"].Status,
                rows["plain"].EndReason, rows["plain"].IsEstimated, rows["plain"].Steps));
        Assert.InRange(rows["plain"].Input, 1, long.MaxValue);
        Assert.InRange(rows["plain"].Output, 1, long.MaxValue);
        Assert.Equal("ok", (string?)JsonNode.Parse(rows["plain"].Attempts)![0]!["outcome"]);
        Assert.Equal(("bot/id=helper", "helper", "m", "done"), (rows["of-bot"].Selector, rows["of-bot"].Bot, rows["of-bot"].Model, rows["of-bot"].EndReason));
        Assert.Equal((404, "model_not_found", 0, "[]", 0L), (rows["unknown"].Status, rows["unknown"].EndReason, rows["unknown"].Steps, rows["unknown"].Attempts, rows["unknown"].Input));
        Assert.Equal((200, "done", true), (rows["stream"].Status, rows["stream"].EndReason, rows["stream"].IsStream));
        Assert.Equal((500, "500"), (rows["failed"].Status, (string?)JsonNode.Parse(rows["failed"].Attempts)![0]!["outcome"]));
    }

    [Theory]
    [InlineData("chat/completions", """{"model":"model/name=m","messages":[{"role":"user","content":"Hello"}],"temperature":"hot"}""")]
    [InlineData("chat/completions", """{"messages":[{"role":1}],"model":"model/name=m"}""")]
    [InlineData("chat/completions", """{"model":"model/name=m"}""")]
    [InlineData("completions", """{"model":"model/name=m","prompt":"Hello","n":"two"}""")]
    public async Task A_request_that_is_refused_for_its_form_is_a_row_too(string route, string body)
    {
        using (var refused = await Gateway.Client.PostAsync($"/v1/{route}", new StringContent(body, Encoding.UTF8, "application/json"), Cancel))
        {
            Assert.Equal(400, (int)refused.StatusCode);
        }

        var row = Assert.Single(await Gateway.RowsAsync(1, Cancel));
        Assert.Equal(("model/name=m", 400, 0, "[]"), (row.Selector, row.Status, row.Steps, row.Attempts));
    }

    [Fact]
    public async Task A_reply_whose_usage_reports_nothing_is_estimated()
    {
        var silent = JsonNode.Parse(Replies.Completion("m", "Hello."))!;
        silent["usage"] = new JsonObject();
        Gateway.Upstream.Reset();
        Gateway.Upstream.Answers(Answer.Json(silent.ToJsonString()));
        Assert.Equal(200, await Gateway.AskAsync("silent", cancel: Cancel));

        var row = Assert.Single(await Gateway.RowsAsync(1, Cancel));
        Assert.True(row is { IsEstimated: true, Input: > 0, Output: > 0 });
    }

    [Fact]
    public async Task A_caller_who_leaves_in_the_middle_of_a_stream_leaves_a_row()
    {
        Gateway.Upstream.Reset();
        Gateway.Upstream.Answers(Answer.Stream([.. Replies.WordEvents("m", ["Hello "]).Take(2).Select(Piece.Of), Piece.Stall]));

        using (var reply = await Gateway.SendAsync("left", stream: true, cancel: Cancel))
        {
            Assert.Equal(200, (int)reply.StatusCode);
            await (await reply.Content.ReadAsStreamAsync(Cancel)).ReadExactlyAsync(new byte[10], Cancel);
        }

        var row = Assert.Single(await Gateway.RowsAsync(1, Cancel));
        Assert.Equal(("left", 200, "caller_left", true, true), (row.RequestId, row.Status, row.EndReason, row.IsStream, row.IsEstimated));
    }

    [Fact]
    public async Task A_row_that_the_database_refuses_holds_up_no_other()
    {
        await Gateway.ExecuteAsync(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF NEW.request_id = 'poison' THEN RAISE EXCEPTION USING ERRCODE = '22023'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON usage FOR EACH ROW EXECUTE FUNCTION refuse()
            """, Cancel);

        var asked = Enumerable.Range(0, 20).Select(i => Gateway.AskAsync(i == 11 ? "poison" : $"r{i}", cancel: Cancel));
        Assert.All(await Task.WhenAll(asked), status => Assert.Equal(200, status));

        var rows = await Gateway.RowsAsync(19, Cancel);
        Assert.DoesNotContain(rows, r => r.RequestId == "poison");
        await Gateway.UntilAsync(() => Gateway.Process.Output.Contains("is lost: the database does not take it (22023)", StringComparison.Ordinal), Cancel);
        Assert.Equal(200, await Gateway.AskAsync("after", cancel: Cancel));
        await Gateway.RowsAsync(20, Cancel);
    }
}
