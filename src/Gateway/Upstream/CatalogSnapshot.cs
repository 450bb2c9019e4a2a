namespace Gateway.Upstream;

/// <summary>All models at one moment. Immutable; a request keeps the one it began with.</summary>
internal sealed class CatalogSnapshot(
    Dictionary<string, Model> models, IReadOnlyList<Provider> providers, Dictionary<string, EmbeddingModel> embeddingModels)
{
    public static CatalogSnapshot Empty { get; } = new([], [], []);

    /// <summary>Null when there is none of this name, or its provider cannot be used.</summary>
    public EmbeddingModel? FindEmbedding(string name) => embeddingModels.GetValueOrDefault(name);

    public IEnumerable<Model> Models => models.Values;

    public IReadOnlyList<Provider> Providers => providers;

    /// <summary>
    /// To make the next snapshot of. A plain dictionary is copied in microseconds; a frozen one, which finds no quicker what
    /// is asked for once a request, would be made anew at every change.
    /// </summary>
    public Dictionary<string, Model> CopyModels() => new(models, models.Comparer);

    /// <summary>Null when there is no such model, or this workspace does not see it.</summary>
    public ModelRoute? Find(string name, string workspace, string selector)
    {
        if (FindModel(name, workspace) is not { } model)
        {
            return null;
        }

        return new ModelRoute(model, name, selector, model.Fallbacks.Count == 0 ? [] : Fallbacks(model, workspace, selector));
    }

    private Model? FindModel(string name, string workspace)
    {
        if (!models.TryGetValue(name, out var model) || model.IsWildcard)
        {
            return name != Model.Wildcard && models.TryGetValue(Model.Wildcard, out var any) && any.IsVisibleTo(workspace) ? any : null;
        }

        return model.IsVisibleTo(workspace) ? model : null;
    }

    /// <summary>A fallback's own fallbacks are not asked: chains would be as hard to foresee as to pay.</summary>
    private List<ModelRoute> Fallbacks(Model model, string workspace, string selector)
    {
        var routes = new List<ModelRoute>(model.Fallbacks.Count);
        foreach (var name in model.Fallbacks)
        {
            if (FindModel(name, workspace) is { } fallback)
            {
                routes.Add(new ModelRoute(fallback, name, selector, []));
            }
        }

        return routes;
    }
}
