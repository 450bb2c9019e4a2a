using Gateway.Http;
using Gateway.Limits;
using Gateway.Upstream;
using Gateway.Usage;

namespace Gateway.Bots.Datasets;

/// <summary>The workspace may use no more for now.</summary>
/// <param name="wait">How long until asking again may help.</param>
internal sealed class WorkspaceLimitException(string message, TimeSpan wait) : Exception(message)
{
    public TimeSpan Wait => wait;
}

/// <summary>Embeds on a workspace's account: within its limits, and with a usage row for each call.</summary>
internal sealed class EmbedderAccount(Embeddings embeddings, UsageJournal journal, Limiter limiter)
{
    /// <summary>The route of what jobs ask for, for which nobody waits and which only the end of the gateway or of the job's lease cuts off.</summary>
    public const string Ingest = "ingest";

    public const string Search = "search";

    private const int Retries = 4;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    /// <summary>Makes vectors of unit length.</summary>
    /// <param name="route">What the usage row calls it: <see cref="Ingest"/> or <see cref="Search"/>.</param>
    /// <param name="key">Who asked; all zeros: nobody.</param>
    /// <param name="longest">How long it may take; null: no limit but those of its parts.</param>
    /// <exception cref="EmbeddingException">There are none.</exception>
    /// <exception cref="WorkspaceLimitException">The workspace's limits do not allow it now.</exception>
    /// <exception cref="OperationCanceledException">The caller left, or it took too long.</exception>
    public async Task<float[][]> EmbedAsync(
        DatasetSettings settings, EmbeddingModel model, IReadOnlyList<string> texts, string route, Guid key, TimeSpan? longest, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(longest ?? Timeout.InfiniteTimeSpan);
        var usage = journal.Begin(new UsageSubject(
            settings.Scope.Workspace, key, Guid.CreateVersion7().ToString("N"), route, $"dataset/{settings.Name}", null));
        var nobody = new Caller(settings.Scope.Workspace, settings.Workspace, Guid.Empty, "", Scopes.None, [], null, false);
        var limits = limiter.Begin(nobody);
        var (status, end) = (0, "internal_error");
        try
        {
            if (limits is not null)
            {
                var tokens = texts.Sum(text => (long)PromptEstimate.Text(text));
                var refused = await limiter.ReserveAsync(limits, nobody, new Need(tokens, model.Cost(tokens)) { IsFirm = true }, null, limit.Token);
                if (refused is not null)
                {
                    (status, end) = (refused.Status, refused.Code ?? refused.Type);
                    if (refused.Status != StatusCodes.Status429TooManyRequests && refused.Status < 500)
                    {
                        // A budget in USD and a model without a price: waiting does not mend it.
                        throw new EmbeddingException(refused.Message, end, isPassing: false);
                    }

                    var wait = refused.RetryAfter ?? LongestWait;
                    throw new WorkspaceLimitException(refused.Message, wait < LongestWait ? wait : LongestWait);
                }
            }

            var vectors = await embeddings.EmbedAsync(model, texts, usage, new EmbeddingCall(Retries, IsBackground: route == Ingest, LeftAs), limit.Token);
            (status, end) = (StatusCodes.Status200OK, "done");
            foreach (var vector in vectors)
            {
                VectorBytes.Normalize(vector);
            }

            return vectors;
        }
        catch (EmbeddingException failed)
        {
            (status, end) = (status == 0 ? StatusCodes.Status502BadGateway : status, failed.Outcome);
            throw;
        }
        catch (OperationCanceledException)
        {
            (status, end) = (cancel.IsCancellationRequested ? 0 : StatusCodes.Status504GatewayTimeout, LeftAs());
            throw;
        }
        finally
        {
            var (input, _, output, _, usd, _) = usage.Totals();
            limits?.Settle(input + output, usd);
            usage.End(status, end);
        }

        string LeftAs() => !cancel.IsCancellationRequested ? "timeout" : route == Ingest ? RequestFacts.Shutdown : RequestFacts.CallerLeft;
    }
}
