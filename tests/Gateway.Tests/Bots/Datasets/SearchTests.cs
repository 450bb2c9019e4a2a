using System.Numerics.Tensors;
using System.Text.Json;
using Gateway.Bots;
using Gateway.Bots.Datasets;

namespace Gateway.Tests.Bots.Datasets;

public sealed class SearchTests(DatasetBenchFixture fixture) : IClassFixture<DatasetBenchFixture>
{
    private const string Menu =
        """
        text,source,url,year,kind
        Green tea from Japan is served hot,Drinks,https://shop.test/tea,2020,drink
        Black coffee is roasted in house,Drinks,https://shop.test/coffee,2022,drink
        Carrot cake with walnuts and cream,Sweets,,2023,food
        Soup of the day comes with bread,Meals,,,food
        """;

    private DatasetBench Bench => fixture.Bench;

    [Fact]
    public async Task All_words_find_a_chunk_and_so_do_the_rarest_of_a_long_question()
    {
        var dataset = await MenuAsync(model: null);

        var exact = await Bench.FindAsync(dataset, "green tea");
        var loose = await Bench.FindAsync(dataset, "Could you please tell me whether the carrot something is any good?");

        var hit = Assert.Single(exact.Hits);
        Assert.Equal(("Drinks", "https://shop.test/tea", 1.0), (hit.Title, hit.Url, Math.Round(hit.Score, 6)));
        Assert.Equal("Sweets", loose.Hits[0].Title);
        Assert.Null(exact.Note);
    }

    [Theory]
    [InlineData("'; DROP TABLE chunks; --")]
    [InlineData("tea & | ! <-> ( :*")]
    [InlineData("\\ ' '' \" \\'")]
    [InlineData("\0")]
    [InlineData("\ud83c")]
    public async Task Any_text_may_be_asked(string question) => Assert.NotNull((await Bench.FindAsync(await MenuAsync(), question)).Hits);

    [Fact]
    public async Task Vectors_find_what_words_do_not()
    {
        var dataset = await MenuAsync();

        var found = await Bench.FindAsync(dataset, "walnutty carrots");

        Assert.Equal("Sweets", found.Hits[0].Title);
        Assert.InRange(found.Hits[0].Score, 0.1, 1);
        Assert.Null(found.Note);
    }

    [Fact]
    public async Task What_came_since_the_last_search_is_found_too()
    {
        var dataset = await MenuAsync();
        await Bench.FindAsync(dataset, "anything");

        await Bench.PutFileAsync(dataset, "more.txt", "Pancakes with blueberries.");
        await Bench.RunJobsAsync();

        Assert.Contains((await Bench.FindAsync(dataset, "blueberries")).Hits, h => h.Title == "more.txt");
    }

    [Theory]
    [InlineData("""{"kind":"food"}""", "Carrot Soup")]
    [InlineData("""{"kind":{"$ne":"food"}}""", "Black Green")]
    [InlineData("""{"year":{"$gt":2020}}""", "Black Carrot")]
    [InlineData("""{"year":{"$gte":2020,"$lt":2023}}""", "Black Green")]
    [InlineData("""{"year":{"$lte":2020}}""", "Green")]
    [InlineData("""{"year":{"$in":[2020,2023]},"kind":"drink"}""", "Green")]
    [InlineData("""{"year":"2020"}""", "")]
    [InlineData("""{"nothing":1}""", "")]
    public async Task A_filter_leaves_the_records_whose_metadata_match(string filter, string expected)
    {
        foreach (var model in new[] { null, DatasetBench.Model })
        {
            var dataset = await MenuAsync(model);

            var found = await Bench.FindAsync(dataset, "tea coffee cake soup", filter);

            Assert.Equal(expected, string.Join(' ', found.Hits.Select(h => h.Text.Split(' ')[0]).Order(StringComparer.Ordinal)));
        }
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("""{"a":{"$regex":"x"}}""")]
    [InlineData("""{"a":{"$gt":true}}""")]
    [InlineData("""{"a":{"$in":5}}""")]
    [InlineData("""{"a":[1]}""")]
    [InlineData("""{"a":"\u0000"}""")]
    public void A_filter_that_means_nothing_says_so(string filter)
    {
        using var json = JsonDocument.Parse(filter);

        Assert.Null(MetadataFilter.Read(json.RootElement, out var error));
        Assert.NotNull(error);
    }

    [Fact]
    public async Task The_datasets_limits_hold()
    {
        var dataset = await MenuAsync();
        const string All = "tea coffee cake soup";

        Assert.Equal(2, (await Bench.FindAsync(dataset with { SearchMaxRecords = 2 }, All)).Hits.Count);
        Assert.Single((await Bench.FindAsync(dataset with { SearchMaxTokens = 15 }, All)).Hits);
        Assert.InRange(Assert.Single((await Bench.FindAsync(dataset with { SearchMaxTokens = 5 }, All)).Hits).Text.Length, 1, 15);
        Assert.Empty((await Bench.FindAsync(dataset with { SearchMinScore = 0.99 }, All)).Hits);
        Assert.Single((await Bench.FindAsync(dataset with { SearchMinScore = 0.99 }, "green tea")).Hits);
    }

    [Fact]
    public async Task Without_vectors_words_are_searched_and_it_is_said()
    {
        await Bench.AddModelAsync("down", DatasetBench.Dimensions, "down!status=400");
        var dataset = await MenuAsync() with { EmbeddingModel = "down" };

        var found = await Bench.FindAsync(dataset, "green tea");

        Assert.Equal("Drinks", Assert.Single(found.Hits).Title);
        Assert.Contains("words alone", found.Note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dataset_that_is_too_large_to_compare_is_searched_by_words_and_it_is_said()
    {
        var dataset = await MenuAsync();
        Bench.Settings.VectorScanChunks = 3;
        try
        {
            var found = await Bench.FindAsync(dataset, "green tea");

            Assert.Equal("Drinks", Assert.Single(found.Hits).Title);
            Assert.Contains("pgvector", found.Note, StringComparison.Ordinal);
        }
        finally
        {
            Bench.Settings.VectorScanChunks = new Gateway.Data.GatewaySettings().VectorScanChunks;
        }
    }

    [Fact]
    public async Task A_tool_shows_numbered_passages_as_data_and_the_owners_words_outside()
    {
        var dataset = await MenuAsync() with { MatchInstruction = "Be brief.", MismatchInstruction = "Say sorry." };
        var turn = Turn(new BotDataset(dataset, IsAlways: false), "green tea");
        var tools = new Toolset();
        await new DatasetTools(Bench.Search, Microsoft.Extensions.Logging.Abstractions.NullLogger<DatasetTools>.Instance).AddAsync(turn, tools, Cancel);
        var tool = Assert.Single(tools.Tools);

        var found = await RunAsync(tool, turn, """{"query":"green tea"}""");
        var again = await RunAsync(tool, turn, """{"query":"carrot cake","filter":{"kind":"food"}}""");
        var none = await RunAsync(tool, turn, """{"query":"tea","filter":{"kind":"car"}}""");
        var wrong = await RunAsync(tool, turn, """{"query":"tea","filter":{"kind":{"$like":"x"}}}""");

        Assert.Equal($"search_{dataset.Name}", tool.Name);
        Assert.StartsWith("Be brief.\n\n<<<data (passages of", found.Text, StringComparison.Ordinal);
        Assert.Contains("\n[1] Drinks (https://shop.test/tea)\nGreen tea from Japan is served hot", found.Text, StringComparison.Ordinal);
        Assert.Contains("] Sweets\nCarrot cake", again.Text, StringComparison.Ordinal);
        Assert.Equal("Say sorry.", none.Text);
        Assert.True(wrong.IsFailure);
        Assert.Equal("https://shop.test/tea", turn.Citations.Find(1)!.Url);
        Assert.Contains(Enumerable.Range(1, 5), n => turn.Citations.Find(n) is { Url: null, FileId: not null, FileName: "Sweets" });
    }

    [Fact]
    public async Task A_dataset_that_is_always_searched_is_before_the_first_step()
    {
        var dataset = await MenuAsync();
        var tools = new Toolset();
        var turn = Turn(new BotDataset(dataset, IsAlways: true), "Do you have green tea?");

        await new DatasetTools(Bench.Search, Microsoft.Extensions.Logging.Abstractions.NullLogger<DatasetTools>.Instance).AddAsync(turn, tools, Cancel);

        Assert.Empty(tools.Tools);
        Assert.Contains("[1] Drinks", Assert.Single(tools.Data), StringComparison.Ordinal);
        Assert.Contains(dataset.Name, Assert.Single(tools.Guidance), StringComparison.Ordinal);
    }

    [Fact]
    public void A_scan_in_bytes_finds_what_whole_numbers_find()
    {
        var random = new Random(7);
        var vectors = Enumerable.Range(0, 2_000).Select(_ => (Id: Guid.NewGuid(), Vector: Unit(random, 384))).ToList();
        var scan = VectorScan.Of(vectors, 384);

        for (var n = 0; n < 20; n++)
        {
            var query = Unit(random, 384);
            var best = vectors.OrderByDescending(v => TensorPrimitives.Dot<float>(v.Vector, query)).Take(5).Select(v => v.Id);

            Assert.Subset(scan.Find(query, 50, null).ToHashSet(), best.ToHashSet());
        }
    }

    [Fact]
    public void Fusion_puts_what_both_lists_have_first_unless_it_is_worth_little_in_both()
    {
        var (a, b, c) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());

        Assert.Equal(b, Fusion.Of([[(a, 1), (b, 0.9)], [(c, 0.8), (b, 0.7)]])[0]);
        Assert.Equal(a, Fusion.Of([[(a, 1), (b, 0.3)], [(c, 0.4), (b, 0.4)]])[0]);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private async Task<Dataset> MenuAsync(string? model = DatasetBench.Model)
    {
        var dataset = await Bench.AddDatasetAsync(model);
        await Bench.PutFileAsync(dataset, "menu.csv", Menu);
        await Bench.RunJobsAsync();
        return dataset;
    }

    private TurnContext Turn(BotDataset dataset, string question) => new()
    {
        Bot = new Bot("b", "B", "", "m", "", [], [], 0) { Datasets = [dataset] },
        Caller = new Gateway.Http.Caller(Bench.Workspace, "bench", Guid.Empty, "k", Gateway.Http.Scopes.Chat, [], null, false),
        Selector = "bot/id=b",
        Metered = null!,
        Question = question,
        MaySearchWeb = false,
    };

    private static async Task<ToolResult> RunAsync(BotTool tool, TurnContext turn, string arguments)
    {
        using var json = JsonDocument.Parse(arguments);
        return await tool.RunAsync(json.RootElement, turn, Cancel);
    }

    private static float[] Unit(Random random, int dimensions)
    {
        var vector = new float[dimensions];
        for (var i = 0; i < dimensions; i++)
        {
            vector[i] = (float)(random.NextDouble() - 0.5);
        }

        VectorBytes.Normalize(vector);
        return vector;
    }
}
