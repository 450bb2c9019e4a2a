using System.Security.Cryptography;
using System.Text.Json;
using Gateway.Admin.File;
using Gateway.Data;

namespace Gateway.Admin;

/// <summary>Makes providers and models what the file says.</summary>
internal sealed class ApplyCatalog(GatewayDb db, SecretBox box, ApplyRows rows, ApplyChanges changes, List<FileError> errors, TimeProvider clock,
    ManagedBy managed = ManagedBy.File)
{
    public void Match(GatewayFile file)
    {
        foreach (var provider in file.Providers)
        {
            Match(provider);
        }

        foreach (var model in file.Models)
        {
            Match(model);
        }
    }

    public void Match(FileProvider wanted)
    {
        var headers = wanted.Headers.ToDictionary(h => h.Key, h => h.Value.Reveal(), StringComparer.OrdinalIgnoreCase);
        if (!rows.Providers.TryGetValue(wanted.Name, out var row))
        {
            if (wanted.KeepsCredentials)
            {
                errors.Add(wanted.At.Error("expected 'apiKey' or 'headers' in place of 'keepCredentials': the database has no such provider"));
                return;
            }

            row = new ProviderRow
            {
                Id = Guid.CreateVersion7(clock.GetUtcNow()),
                Name = wanted.Name,
                BaseUrl = wanted.BaseUrl,
                ApiKey = SealKey(wanted),
                Headers = SealHeaders(wanted.Name, headers),
                MaxConcurrency = wanted.MaxConcurrency,
                Managed = wanted.Manager(managed),
            };
            db.Providers.Add(row);
            rows.Providers.Add(row.Name, row);
            changes.Added("provider", row.Name);
            return;
        }

        if (wanted.IsLeftTo(row.Managed))
        {
            return;
        }

        var edit = new ApplyEdit();
        edit.Set("baseUrl", row.BaseUrl, wanted.BaseUrl, v => row.BaseUrl = v);
        // Sealing gives other bytes each time, so what is inside is compared.
        if (!wanted.KeepsCredentials && !IsSame(row.ApiKey, wanted.ApiKey, SecretOwners.ProviderKey(row.Name)))
        {
            edit.Assign("apiKey", SealKey(wanted), v => row.ApiKey = v);
        }

        if (!wanted.KeepsCredentials && !HasHeaders(row, headers))
        {
            edit.Assign("headers", SealHeaders(row.Name, headers), v => row.Headers = v);
        }

        edit.Set("maxConcurrency", row.MaxConcurrency, wanted.MaxConcurrency, v => row.MaxConcurrency = v);
        edit.Adopt(row.Managed, wanted.Manager(managed), v => row.Managed = v);
        changes.Changed("provider", row.Name, edit);
    }

    public void Match(FileModel wanted)
    {
        var isNew = !rows.Models.TryGetValue(wanted.Name, out var row);
        if (wanted.IsLeftTo(row?.Managed))
        {
            return;
        }

        if (row is null)
        {
            row = new ModelRow
            {
                Id = Guid.CreateVersion7(clock.GetUtcNow()),
                Name = wanted.Name,
                Workspaces = [],
                DropParams = [],
                Managed = wanted.Manager(managed),
                CreatedAt = clock.GetUtcNow().UtcDateTime,
            };
            db.Models.Add(row);
            rows.Models.Add(row.Name, row);
            changes.Added("model", row.Name);
        }

        var edit = new ApplyEdit();
        edit.SetList("workspaces", row.Workspaces, wanted.Workspaces ?? [], v => row.Workspaces = v);
        MatchDeployments(row, wanted, edit);
        edit.Set("timeouts", row.ConnectMs, Milliseconds(wanted.Timeouts.Connect), v => row.ConnectMs = v);
        edit.Set("timeouts", row.HeadersMs, Milliseconds(wanted.Timeouts.Headers), v => row.HeadersMs = v);
        edit.Set("timeouts", row.FirstContentMs, Milliseconds(wanted.Timeouts.FirstContent), v => row.FirstContentMs = v);
        edit.Set("timeouts", row.IdleMs, Milliseconds(wanted.Timeouts.Idle), v => row.IdleMs = v);
        edit.Set("timeouts", row.TotalMs, Milliseconds(wanted.Timeouts.Total), v => row.TotalMs = v);
        edit.SetList("dropParams", row.DropParams, wanted.DropParams, v => row.DropParams = v);
        MatchOperation(row, wanted, edit);
        edit.Adopt(row.Managed, wanted.Manager(managed), v => row.Managed = v);
        if (!isNew)
        {
            changes.Changed("model", row.Name, edit);
        }
    }

    private static void MatchOperation(ModelRow row, FileModel wanted, ApplyEdit edit)
    {
        edit.SetList("fallbacks", row.Fallbacks, wanted.Fallbacks, v => row.Fallbacks = v);
        edit.Set("retries", row.Retries, wanted.Retries, v => row.Retries = v);
        edit.Set("breaker", row.BreakerFailureRate, wanted.Breaker.FailureRate, v => row.BreakerFailureRate = v);
        edit.Set("breaker", row.BreakerMinimum, wanted.Breaker.Minimum, v => row.BreakerMinimum = v);
        edit.Set("breaker", row.BreakerWindowMs, Milliseconds(wanted.Breaker.Window), v => row.BreakerWindowMs = v);
        edit.Set("breaker", row.BreakerOpenMs, Milliseconds(wanted.Breaker.Open), v => row.BreakerOpenMs = v);
        edit.Set("rescue", row.Rescue, wanted.Rescue, v => row.Rescue = v);
        edit.Set("contextTokens", row.ContextTokens, wanted.ContextTokens, v => row.ContextTokens = v);
        edit.Set("defaultOutputTokens", row.DefaultOutputTokens, wanted.DefaultOutputTokens, v => row.DefaultOutputTokens = v);
        edit.Set("price", row.PriceInput, wanted.Price?.Input, v => row.PriceInput = v);
        edit.Set("price", row.PriceCachedInput, wanted.Price?.CachedInput, v => row.PriceCachedInput = v);
        edit.Set("price", row.PriceOutput, wanted.Price?.Output, v => row.PriceOutput = v);
    }

    private void MatchDeployments(ModelRow row, FileModel wanted, ApplyEdit edit)
    {
        foreach (var (position, deployment) in wanted.Deployments.Index())
        {
            // A provider that nobody has is an error of ApplyReferences; there is nothing to point at here.
            if (!rows.Providers.TryGetValue(deployment.Provider, out var provider))
            {
                continue;
            }

            if (row.Deployments.Find(d => d.Position == position) is { } there)
            {
                edit.Set("deployments", there.ProviderId, provider.Id, v => there.ProviderId = v);
                edit.Set("deployments", there.UpstreamModel, deployment.Model, v => there.UpstreamModel = v);
                edit.Set("deployments", there.Weight, deployment.Weight, v => there.Weight = v);
                edit.Set("deployments", there.SupportsPrefill, deployment.SupportsPrefill, v => there.SupportsPrefill = v);
                continue;
            }

            var made = new DeploymentRow
            {
                ModelId = row.Id,
                Position = position,
                ProviderId = provider.Id,
                UpstreamModel = deployment.Model,
                Weight = deployment.Weight,
                SupportsPrefill = deployment.SupportsPrefill,
            };
            edit.Assign("deployments", made, row.Deployments.Add);
        }

        foreach (var surplus in row.Deployments.Where(d => d.Position >= wanted.Deployments.Count).ToList())
        {
            edit.Assign("deployments", surplus, s => row.Deployments.Remove(s));
        }
    }

    private byte[]? SealKey(FileProvider provider) =>
        provider.ApiKey is { } key ? box.Seal(key.Reveal(), SecretOwners.ProviderKey(provider.Name)) : null;

    private byte[]? SealHeaders(string provider, Dictionary<string, string> headers) => headers.Count == 0
        ? null
        : box.Seal(JsonSerializer.Serialize(headers), SecretOwners.ProviderHeaders(provider));

    private bool IsSame(byte[]? stored, Secret? wanted, string owner) =>
        stored is null ? wanted is null : wanted is not null && box.Holds(stored, wanted, owner);

    private bool HasHeaders(ProviderRow row, Dictionary<string, string> wanted)
    {
        if (row.Headers is null)
        {
            return wanted.Count == 0;
        }

        try
        {
            var json = box.Open(row.Headers, SecretOwners.ProviderHeaders(row.Name)).Reveal();
            var current = JsonSerializer.Deserialize<Dictionary<string, string>>(json)!;
            return current.Count == wanted.Count
                && current.All(h => wanted.TryGetValue(h.Key, out var value) && value == h.Value);
        }
        catch (CryptographicException)
        {
            // What cannot be opened is of no use to anybody: the file's value replaces it.
            return false;
        }
    }

    private static int Milliseconds(TimeSpan time) => (int)time.TotalMilliseconds;
}
