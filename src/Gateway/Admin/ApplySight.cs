using Gateway.Data;
using Gateway.Upstream;

namespace Gateway.Admin;

/// <summary>The best comes first.</summary>
internal enum Sight { Open, Closed, Missing }

/// <summary>Which workspaces will see a model by some name, as it would be after an apply.</summary>
internal sealed class ApplySight(ApplyRows rows, GatewaySettings settings)
{
    /// <summary>How those who see one model will see another: open when a workspace of theirs does.</summary>
    /// <param name="workspaces">The only workspaces that see the first; empty: all do.</param>
    public Sight FindFor(IReadOnlyCollection<string> workspaces, string name) =>
        (workspaces.Count > 0 ? workspaces : rows.Workspaces.Keys)
            .Select(workspace => Find(name, workspace)).DefaultIfEmpty(Find(name, "")).Min();

    /// <summary>How a workspace will see a model by this name.</summary>
    public Sight Find(string name, string workspace)
    {
        if (settings.Demo && name == Catalog.DemoModel)
        {
            return workspace == Catalog.DemoWorkspace ? Sight.Open : Sight.Closed;
        }

        if (rows.Models.GetValueOrDefault(name) is { } model)
        {
            return model.Workspaces.Length == 0 || model.Workspaces.Contains(workspace) ? Sight.Open : Sight.Closed;
        }

        if (name != Model.Wildcard && rows.Models.ContainsKey(Model.Wildcard))
        {
            return Find(Model.Wildcard, workspace);
        }

        // OPENAI_API_KEY stands for a provider and every model name while nothing else is configured.
        return rows.Providers.Count == 0 && settings.OpenAiApiKey is not null ? Sight.Open : Sight.Missing;
    }
}
