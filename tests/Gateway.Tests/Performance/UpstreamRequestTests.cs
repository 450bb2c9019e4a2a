using System.IO.Pipelines;
using System.Text;
using Gateway.Benchmarks.Load;

namespace Gateway.Tests.Performance;

public class UpstreamRequestTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(40_000)]
    [InlineData(300_000)]
    public async Task What_is_asked_is_found_at_either_end_of_a_body_of_any_length(int filling)
    {
        var text = new string('x', filling) + "\\\"stream\\\":true";
        string[] bodies =
        [
            $$$"""{"model":"bench-paced-7","stream":true,"stream_options":{"include_usage":true},"messages":"{{{text}}}"}""",
            $$$"""{"model":"model/name=bench-paced-7","messages":"{{{text}}}","stream": true,"stream_options":{"include_usage":true}}""",
            $$"""{"messages":"{{text}}","model":"bench-paced-7"}""",
        ];
        foreach (var (body, asks) in bodies.Zip([true, true, false]))
        {
            foreach (var size in (int[])[1000, 17_000, int.MaxValue])
            {
                var request = await ReadAsync(body, size);

                Assert.Equal(new BenchModel(BenchBehaviour.Paced, 300, 7), request.Model);
                Assert.Equal((asks, asks, body.Length), (request.IsStream, request.WantsUsage, request.BodyBytes));
            }
        }
    }

    [Theory]
    [InlineData("bench", 0, 300, 500)]
    [InlineData("model/name=bench-brief", 0, 300, 10)]
    [InlineData("bench-reply-100000", 0, 100_000, 500)]
    [InlineData("bench-held", 2, 300, 500)]
    [InlineData("gpt-4o", 0, 300, 500)]
    public void A_models_name_says_what_it_answers(string name, int behaviour, int contentLength, int chunks)
    {
        Assert.Equal(new BenchModel((BenchBehaviour)behaviour, contentLength, chunks), BenchModel.Parse(name));
    }

    private static async Task<UpstreamRequest> ReadAsync(string body, int size)
    {
        // A write at a time, each read before the next.
        var pipe = new Pipe(new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline));
        var reading = UpstreamRequest.ReadAsync(pipe.Reader, TestContext.Current.CancellationToken).AsTask();
        foreach (var piece in Encoding.UTF8.GetBytes(body).Chunk(size))
        {
            await pipe.Writer.WriteAsync(piece, TestContext.Current.CancellationToken);
        }

        await pipe.Writer.CompleteAsync();
        return await reading;
    }
}
