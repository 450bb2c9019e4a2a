using Gateway.Http;
using Gateway.Usage;

namespace Gateway.Limits;

/// <summary>
/// Around every request that may use a model: its use is limited before, and recorded after, however it ends.
/// </summary>
internal sealed class Metering(UsageJournal journal, Limiter limiter)
{
    private const string Done = "done";
    private const string Rescued = "rescued";

    /// <summary>Runs a request. <see cref="RequestFacts.Caller"/> and <see cref="RequestFacts.Selector"/> must be known.</summary>
    /// <param name="bot">The bot's id; null for a model.</param>
    /// <param name="work">Answers; sets <see cref="RequestFacts.End"/> unless all went well.</param>
    public async Task RunAsync(HttpContext http, string? bot, Func<Metered, Task> work)
    {
        var facts = RequestFacts.Of(http);
        var caller = facts.Caller!;
        var usage = journal.Begin(new UsageSubject(
            caller.WorkspaceId ?? Guid.Empty, caller.KeyId, facts.RequestId, EdgePath.ForLog(http), facts.Selector!, bot));
        var metered = new Metered(limiter, caller, usage);
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
            facts.End ??= "internal_error";
            throw;
        }
        finally
        {
            limiter.Settle(metered);
            var totals = usage.Totals();
            (facts.InputTokens, facts.OutputTokens) = (totals.Input, totals.Output);
            (facts.Attempts, facts.FirstContentMs) = (usage.Attempts.Count, usage.FirstContentMs);
            usage.End(
                facts.End == RequestFacts.CallerLeft && !http.Response.HasStarted ? 0 : http.Response.StatusCode,
                facts.End ?? (usage.IsRescued ? Rescued : Done));
        }
    }
}
