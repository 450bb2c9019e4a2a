namespace Gateway.Bots.Datasets;

internal static class DatasetsSetup
{
    public static IServiceCollection AddDatasets(this IServiceCollection services)
    {
        services.AddSingleton<JobTable>();
        services.AddSingleton<RecordWriter>();
        services.AddSingleton<Reindexer>();
        services.AddSingleton<VectorIndexes>();
        services.AddSingleton<VectorIndex>();
        services.AddSingleton<VectorScans>();
        services.AddSingleton<EmbedderAccount>();
        services.AddSingleton<ChunkVectors>();
        services.AddSingleton<IngestRun>();
        services.AddHostedService<IngestService>();
        services.AddHostedService<VectorIndexService>();
        services.AddSingleton<DatasetSize>();
        services.AddSingleton<FullText>();
        services.AddSingleton<DatasetSearch>();
        services.AddSingleton<IToolSource, DatasetTools>();
        return services;
    }
}
