using Gateway.Data;
using Gateway.Observability;
using Microsoft.EntityFrameworkCore;

namespace Gateway.Admin;

/// <summary>
/// Applies the file of <c>Gateway__Apply</c> again when it changes, or a file of its datasets. It is read anew every second instead of being
/// watched by the system: editors and mounted configuration replace files and links, which watchers lose.
/// </summary>
/// <param name="applied">The hash that the start applied.</param>
internal sealed class ApplyWatch(
    string applied, IDbContextFactory<GatewayDb> databases, SecretBox box, GatewaySettings settings, TimeProvider clock,
    ILogger<ApplyWatch> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ApplyFiles _files = new(clock);
    private string _handled = applied;
    private string? _candidate;
    private string? _problem;

    /// <summary>Applies the file when the server starts.</summary>
    /// <param name="say">Takes a line for each change.</param>
    /// <returns>The hash of what was applied, to begin watching with.</returns>
    /// <exception cref="SettingsException">The file is wrong, and how; nothing was changed.</exception>
    public static async Task<string> ApplyAtStartAsync(
        GatewaySettings settings, GatewayDatabase database, SecretBox box, TimeProvider clock, Action<string> say, CancellationToken cancel)
    {
        var source = await ApplySource.ReadAsync(settings.Apply, box, new ApplyFiles(clock), cancel);
        if (await Applier.IsLastAsync(database.Source, source, cancel))
        {
            return source.Hash;
        }

        await using var db = database.NewContext();
        var outcome = await new Applier(db, box, settings, clock).ApplyAsync(source, new ApplyOptions(OnlyIfNew: true), cancel);
        if (outcome.Errors.Count > 0)
        {
            throw new SettingsException(
                $"Gateway__Apply cannot be applied, and nothing was changed:\n{string.Join('\n', outcome.Errors.Select(source.Describe))}");
        }

        foreach (var change in outcome.Changes)
        {
            say($"{settings.Apply}: {change}");
        }

        foreach (var warning in outcome.Warnings)
        {
            say($"warning: {source.Describe(warning)}");
        }

        return source.Hash;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Told to stop. Where a start failed, the host would take this for a failure of ours and say so.
        }
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            try
            {
                await LookAsync(stopping);
                _problem = null;
            }
            catch (Exception failed) when (!stopping.IsCancellationRequested)
            {
                // Tried again at the next tick, since a lost database comes back; the same trouble is said once.
                var problem = failed is SettingsException ? failed.Message : $"{settings.Apply}: {failed.GetType().Name}";
                if (problem != _problem)
                {
                    log.ApplyPostponed(problem);
                    _problem = problem;
                }
            }
        }
    }

    private async Task LookAsync(CancellationToken cancel)
    {
        var source = await ApplySource.ReadAsync(settings.Apply, box, _files, cancel);
        if (source.Hash == _handled)
        {
            _candidate = null;
            return;
        }

        // It has to hold still for one interval: half a file can be a valid file.
        if (source.Hash != _candidate)
        {
            _candidate = source.Hash;
            return;
        }

        await using var db = await databases.CreateDbContextAsync(cancel);
        // Another gateway with the same file may have been first: then there is nothing left to do.
        var outcome = await new Applier(db, box, settings, clock).ApplyAsync(source, new ApplyOptions(OnlyIfNew: true), cancel);
        _handled = source.Hash;
        foreach (var error in outcome.Errors)
        {
            log.ApplyRefused(source.Describe(error));
        }

        foreach (var change in outcome.Changes)
        {
            log.Applied(source.Name, change);
        }

        foreach (var warning in outcome.Warnings)
        {
            log.ApplyWarned(source.Describe(warning));
        }
    }
}
