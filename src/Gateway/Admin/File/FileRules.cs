using System.Net;

namespace Gateway.Admin.File;

/// <summary>
/// What a shape cannot say: rules between fields. They see what could be read, so that they are reported with the rest.
/// </summary>
internal static class FileRules
{
    public static void Check(FileValue root, List<FileError> errors)
    {
        foreach (var provider in root.Items("providers"))
        {
            CheckProvider(provider, errors);
        }

        foreach (var model in root.Items("models"))
        {
            CheckModel(model, errors);
        }

        if (root["web"]?["search"] is { } search)
        {
            CheckSearch(search, errors);
        }

        if (root["web"] is { } web && root["egress"] is { } egress && FileRecords.IsOfApi(web) != FileRecords.IsOfApi(egress))
        {
            errors.Add(egress.At.Error("'web' and 'egress' are managed together: write 'managed: api' in both or in neither"));
        }

        foreach (var place in root["egress"]?.Items("allow") ?? [])
        {
            CheckPlace(place, errors);
        }

        foreach (var workspace in root.Items("workspaces"))
        {
            CheckWorkspace(workspace, root, errors);
        }
    }

    private static void CheckWorkspace(FileValue workspace, FileValue root, List<FileError> errors)
    {
        foreach (var dataset in workspace.Items("datasets"))
        {
            WorkspaceRules.CheckDataset(dataset, errors);
        }

        foreach (var ability in workspace.Items("skillsets").SelectMany(s => s.Items("abilities")))
        {
            WorkspaceRules.CheckAbility(ability, errors);
        }

        foreach (var bot in workspace.Items("bots"))
        {
            WorkspaceRules.CheckBot(bot, workspace, root, errors);
        }
    }

    private static void CheckProvider(FileValue provider, List<FileError> errors)
    {
        CheckKept(provider, "apiKey", errors);
        CheckKept(provider, "headers", errors);
        if (provider["apiKey"] is not null && provider.Map("headers").GetValueOrDefault("authorization") is { } header)
        {
            errors.Add(header.At.Error("'apiKey' is sent as this header; keep one of the two"));
        }
    }

    private static void CheckModel(FileValue model, List<FileError> errors)
    {
        var name = model.Text("name");
        var seen = new Dictionary<(string, string), int>();
        foreach (var deployment in model.Items("deployments"))
        {
            if (name == "*" && deployment["model"] is { } upstream)
            {
                errors.Add(upstream.At.Error("the model \"*\" passes the caller's name through; remove this field"));
            }
            else if (name is not null && deployment.Text("provider") is { } provider
                && !seen.TryAdd((provider, deployment.Text("model") ?? name), deployment.At.Line))
            {
                var line = seen[(provider, deployment.Text("model") ?? name)];
                errors.Add(deployment.At.Error(
                    $"the same model at the same provider is here already, on line {line}; 'weight' gives it more of the traffic"));
            }
        }

        foreach (var fallback in model.Items("fallbacks").Where(f => name is not null && f.Content is string own && own == name))
        {
            errors.Add(fallback.At.Error("a model cannot fall back to itself"));
        }

        foreach (var dropped in model.Items("dropParams").Where(d => d.Content is "model" or "messages" or "stream"))
        {
            errors.Add(dropped.At.Error($"'{dropped.Content}' cannot be left out of a request"));
        }
    }

    private static void CheckSearch(FileValue search, List<FileError> errors)
    {
        // What could not be read has an error of its own.
        bool IsMissing(string field) => search[field] is null && !errors.Exists(e => e.Path == search.At.Field(field, search.At.Line).Path);

        switch (search.Text("kind"))
        {
            case "searxng" when IsMissing("url"):
                errors.Add(search.At.Error("the field 'url' is missing: where the SearXNG is, such as http://searx.internal:8080"));
                break;
            case "searxng" when search["apiKey"] is { } key:
                errors.Add(key.At.Error("a SearXNG takes no key; remove this field"));
                break;
            case "brave" or "tavily" when IsMissing("apiKey") && search.Flag("keepCredentials") is not true:
                errors.Add(search.At.Error($"the field 'apiKey' is missing: {search.Text("kind")} answers nobody without one"));
                break;
        }
    }

    private static void CheckKept(FileValue holder, string field, List<FileError> errors)
    {
        if (holder.Flag("keepCredentials") is true && holder[field] is { } given)
        {
            errors.Add(given.At.Error($"'keepCredentials' keeps the '{field}' of the database; remove one of the two"));
        }
    }

    private static void CheckPlace(FileValue place, List<FileError> errors)
    {
        var text = (string)place.Content;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var isRight = slash >= 0
            ? IPNetwork.TryParse(text, out var network) && network.BaseAddress.Equals(IPAddress.Parse(text[..slash]))
            : IPAddress.TryParse(text, out _) || Uri.CheckHostName(text) == UriHostNameType.Dns;
        if (!isRight)
        {
            errors.Add(place.At.Error(
                $"expected a host's name, an address or a network without bits behind its prefix, such as 10.1.0.0/16, got {FileWords.Quote(text)}"));
        }
    }
}
