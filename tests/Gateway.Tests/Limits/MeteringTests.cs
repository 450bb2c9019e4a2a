using Gateway.Data;
using Gateway.Http;
using Gateway.Limits;
using Gateway.Usage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Limits;

public class MeteringTests
{
    [Fact]
    public async Task A_request_that_fails_of_ours_is_a_row_with_the_status_that_its_caller_gets()
    {
        using var pump = new LeasePump(
            new LeaseStore("Host=127.0.0.1;Port=1"), new DatabaseNews(TimeProvider.System), TimeProvider.System, NullLogger<LeasePump>.Instance);
        var journal = new UsageJournal(TimeProvider.System);
        var metering = new Metering(journal, new Limiter(pump, new WorkspaceLimits(), TimeProvider.System), TimeProvider.System);
        var http = new DefaultHttpContext();
        http.Features.Set(new RequestFacts { RequestId = "r", Caller = LimitDesk.Caller(limits: null), Selector = "model/name=m" });

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => metering.RunAsync(http, null, _ => throw new InvalidTimeZoneException()));

        Assert.True(journal.TryTakeFromMemory(out var row));
        Assert.Equal((500, "internal_error"), (row.Status, row.EndReason));
        Assert.Equal(0, journal.Open);
    }
}
