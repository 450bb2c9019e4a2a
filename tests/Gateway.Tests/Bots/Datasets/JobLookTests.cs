using Gateway.Bots.Datasets;
using Gateway.Data;
using Gateway.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Tests.Bots.Datasets;

/// <summary>What looking for jobs costs the database.</summary>
public sealed class JobLookTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_look_that_finds_nothing_is_one_statement_and_the_next_comes_when_one_is_told_of_a_job()
    {
        // Arrange
        var database = await postgres.CreateDatabaseAsync(cancel: Cancel);
        await using var bench = await DatasetBench.StartAsync(database);
        using var commands = new CommandCount();
        var builder = new NpgsqlDataSourceBuilder(database);
        builder.UseLoggerFactory(commands);
        await using var source = builder.Build();
        using var signal = new JobSignal();
        using var service = new IngestService(
            new JobTable(source, bench.Settings, TimeProvider.System), bench.Run, signal, new DatabaseNews(TimeProvider.System), bench.Settings, TimeProvider.System,
            NullLogger<IngestService>.Instance);

        // Act
        await service.StartAsync(Cancel);
        await commands.NextAsync(Cancel);
        signal.Set();
        await commands.NextAsync(Cancel);
        await service.StopAsync(Cancel);

        // Assert
        Assert.Equal(2, commands.Begun);
    }

    /// <summary>Counts what a data source executes, by what it would log.</summary>
    private sealed class CommandCount : ILoggerFactory, ILogger
    {
        /// <summary>Of Npgsql's messages.</summary>
        private const int Executing = 2000;
        private const int Executed = 2001;

        private readonly SemaphoreSlim _done = new(0);
        private int _begun;

        public int Begun => Volatile.Read(ref _begun);

        public async Task NextAsync(CancellationToken cancel) => Assert.True(await _done.WaitAsync(TimeSpan.FromSeconds(60), cancel));

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == Executing)
            {
                Interlocked.Increment(ref _begun);
            }
            else if (eventId.Id == Executed)
            {
                _done.Release();
            }
        }

        public void Dispose() => _done.Dispose();
    }
}
