using Gateway.Http;
using Gateway.Usage;

namespace Gateway.Limits;

/// <summary>
/// Around every request that may use a model: its use is limited before, and recorded after, however it ends.
/// </summary>
internal sealed class Metering(UsageJournal journal, Limiter limiter, TimeProvider clock)
{
    private const string Done = "done";
    private const string Rescued = "rescued";
    private const string UpstreamCut = "upstream_cut";
    private const string InternalError = "internal_error";

    /// <summary>Runs a request. <see cref="RequestFacts.Caller"/> and <see cref="RequestFacts.Selector"/> must be known.</summary>
    /// <param name="bot">The bot's id; null for a model.</param>
    /// <param name="work">Answers; sets <see cref="RequestFacts.End"/> unless all went well.</param>
    public async Task RunAsync(HttpContext http, string? bot, Func<Metered, Task> work)
    {
        var facts = RequestFacts.Of(http);
        var caller = facts.Caller!;
        var usage = journal.Begin(new UsageSubject(
            caller.WorkspaceId ?? Guid.Empty, caller.KeyId, facts.RequestId, EdgePath.ForLog(http), facts.Selector!, bot));
        var metered = new Metered(limiter, caller, usage, http.Response, clock);
        try
        {
            await work(metered);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            facts.End ??= RequestFacts.CallerLeft;
            throw;
        }
        catch
        {
            facts.End ??= InternalError;
            throw;
        }
        finally
        {
            var totals = usage.Totals();
            metered.Settle(totals.Input + totals.Output, totals.Usd);
            (facts.InputTokens, facts.OutputTokens) = (totals.Input, totals.Output);
            (facts.Attempts, facts.FirstContentMs) = (usage.AttemptCount, usage.FirstContentMs);
            usage.End(
                Status(http, facts), facts.End ?? (usage.IsRescued ? Rescued : usage.IsCutAfterFinish ? UpstreamCut : Done));
        }
    }

    /// <summary>What the caller got, or gets yet.</summary>
    private static int Status(HttpContext http, RequestFacts facts) => facts.End switch
    {
        RequestFacts.CallerLeft when !http.Response.HasStarted => 0,
        // The edge answers it; an open stream's status is spent.
        RequestFacts.Shutdown when !http.Response.HasStarted && !facts.IsOpenStream => ApiError.ShuttingDown().Status,
        InternalError when !http.Response.HasStarted && !facts.IsOpenStream => ApiError.Unhandled().Status,
        _ => http.Response.StatusCode,
    };
}
