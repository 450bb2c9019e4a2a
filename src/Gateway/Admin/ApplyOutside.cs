using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>Makes embedding models, web search and egress what the file says.</summary>
internal sealed class ApplyOutside(
    GatewayDb db, SecretBox box, ApplyRows rows, ApplyChanges changes, List<FileError> errors, TimeProvider clock, ManagedBy managed = ManagedBy.File)
{
    private bool _isNew;

    public void Match(GatewayFile file)
    {
        foreach (var model in file.EmbeddingModels)
        {
            Match(model);
        }

        if (file.Web is { } web)
        {
            Match(web);
        }

        if (file.Egress is { } egress)
        {
            Match(egress);
        }
    }

    public void Match(FileEmbeddingModel wanted)
    {
        // A provider that nobody has is an error of ApplyReferences; there is nothing to point at here.
        if (!rows.Providers.TryGetValue(wanted.Provider, out var provider))
        {
            return;
        }

        if (!rows.EmbeddingModels.TryGetValue(wanted.Name, out var row))
        {
            row = new EmbeddingModelRow
            {
                Id = Guid.CreateVersion7(clock.GetUtcNow()),
                Name = wanted.Name,
                ProviderId = provider.Id,
                UpstreamModel = wanted.Model,
                Dimensions = wanted.Dimensions,
                PriceInput = wanted.PriceInput,
                Managed = wanted.Manager(managed),
            };
            db.EmbeddingModels.Add(row);
            rows.EmbeddingModels.Add(row.Name, row);
            changes.Added("embedding model", row.Name);
            return;
        }

        if (wanted.IsLeftTo(row.Managed))
        {
            return;
        }

        var edit = new ApplyEdit();
        edit.Set("provider", row.ProviderId, provider.Id, v => row.ProviderId = v);
        edit.Set("model", row.UpstreamModel ?? row.Name, wanted.Model, v => row.UpstreamModel = v);
        edit.Set("dimensions", row.Dimensions, wanted.Dimensions, v => row.Dimensions = v);
        edit.Set("price", row.PriceInput, wanted.PriceInput, v => row.PriceInput = v);
        edit.Adopt(row.Managed, wanted.Manager(managed), v => row.Managed = v);
        changes.Changed("embedding model", row.Name, edit);
    }

    public void Match(FileWeb wanted)
    {
        if (wanted.IsLeftTo(rows.Outside?.Managed))
        {
            return;
        }

        var row = Row(wanted);
        var edit = new ApplyEdit();
        edit.Set("search", row.SearchKind, wanted.Search?.Kind, v => row.SearchKind = v);
        edit.Set("search", row.SearchUrl, wanted.Search?.Url, v => row.SearchUrl = v);
        var apiKey = wanted.Search?.ApiKey;
        if (wanted.Search is { KeepsCredentials: true })
        {
            if (row.SearchApiKey is null)
            {
                errors.Add(wanted.At.Error("expected 'apiKey' in place of 'keepCredentials': the database has none to keep"));
            }
        }
        else if (row.SearchApiKey is null ? apiKey is not null : apiKey is null || !box.Holds(row.SearchApiKey, apiKey, SecretOwners.OutsideSearch))
        {
            edit.Assign("search", apiKey is null ? null : box.Seal(apiKey.Reveal(), SecretOwners.OutsideSearch), v => row.SearchApiKey = v);
        }

        edit.Set("fetch", row.CanFetch, wanted.CanFetch, v => row.CanFetch = v);
        Finish("web", row, wanted, edit);
    }

    public void Match(FileEgress wanted)
    {
        if (!_isNew && wanted.IsLeftTo(rows.Outside?.Managed))
        {
            return;
        }

        var row = Row(wanted);
        var edit = new ApplyEdit();
        edit.SetList("allow", row.EgressAllow, wanted.Allow, v => row.EgressAllow = v);
        Finish("egress", row, wanted, edit);
    }

    /// <summary>The one row of both, which is there once either is named.</summary>
    private OutsideRow Row(FileObject wanted)
    {
        if (rows.Outside is null)
        {
            rows.Outside = new OutsideRow { Managed = wanted.Manager(managed) };
            db.Outside.Add(rows.Outside);
            _isNew = true;
        }

        return rows.Outside;
    }

    private void Finish(string section, OutsideRow row, FileObject wanted, ApplyEdit edit)
    {
        edit.Adopt(row.Managed, wanted.Manager(managed), v => row.Managed = v);
        if (_isNew)
        {
            changes.Added(section, "settings");
        }
        else
        {
            changes.Changed(section, "settings", edit);
        }
    }
}
