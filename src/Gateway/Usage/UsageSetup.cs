namespace Gateway.Usage;

internal static class UsageSetup
{
    /// <summary>
    /// Hosted services end in reverse, Kestrel first: then the shipper, which needs all ends written, then the keeper. The
    /// database must be there before them and stay until after them.
    /// </summary>
    public static IServiceCollection AddUsage(this IServiceCollection services)
    {
        services.AddSingleton(s => new JournalFiles(s.GetRequiredService<Data.GatewaySettings>()));
        services.AddSingleton<UsageJournal>();
        services.AddSingleton<UsageTable>();
        services.AddSingleton<OrphanJournals>();
        services.AddSingleton<UsageShipper>();
        services.AddSingleton<UsageReport>();
        services.AddHostedService<UsageRetention>();
        services.AddHostedService<JournalKeeper>();
        services.AddHostedService(s => s.GetRequiredService<UsageShipper>());
        return services;
    }
}
