using Gateway.Observability;
using Npgsql;

namespace Gateway.Bots.Datasets;

/// <summary>
/// The datasets of a bot: one tool for each that the model searches, since models choose better between described tools than
/// between values of a parameter; those that are always searched are, before the first step.
/// </summary>
internal sealed class DatasetTools(DatasetSearch search, ILogger<DatasetTools> log) : IToolSource
{
    private static readonly TimeSpan LongestSearch = TimeSpan.FromSeconds(15);

    public bool IsFor(TurnContext turn) => turn.Bot.Datasets.Count > 0;

    public async ValueTask AddAsync(TurnContext turn, Toolset tools, CancellationToken cancel)
    {
        var always = turn.Bot.Datasets.Where(d => d.IsAlways).Select(d => d.Dataset).ToList();
        foreach (var dataset in turn.Bot.Datasets.Where(d => !d.IsAlways))
        {
            tools.Add(new DatasetTool(dataset.Dataset, search, log));
        }

        if (turn.Question.Length == 0)
        {
            return;
        }

        // Side by side, but told in the bot's order: the first dataset's passages have the first numbers.
        foreach (var (dataset, searching) in always.Select(d => (d, FindAsync(d, turn, cancel))).ToList())
        {
            if (await searching is not { } found)
            {
                tools.AddGuidance($"{dataset.Name} could not be searched for the user's message. Say so if the answer depends on it.");
                continue;
            }

            tools.AddGuidance($"{dataset.Name} was searched for the user's last message. {FoundText.Instruction(dataset, found.Hits.Count > 0)}");
            if (found.Hits.Count > 0)
            {
                tools.AddData(FoundText.Data(dataset, found, turn.Citations));
            }
        }
    }

    private async Task<SearchResult?> FindAsync(Dataset dataset, TurnContext turn, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(LongestSearch);
        try
        {
            return await search.FindAsync(
                dataset, new SearchQuestion(turn.Question, null, null, turn.Caller.Workspace, turn.Caller.KeyId), limit.Token);
        }
        catch (NpgsqlException broken)
        {
            log.DatasetSearchFailed(dataset.Id, broken.SqlState ?? broken.GetType().Name);
            return null;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            log.DatasetSearchFailed(dataset.Id, "timeout");
            return null;
        }
    }
}
