using GrayMQ.Broker.Lifecycle;

namespace GrayMQ.Broker.Registration;

/// <summary>A name server that comes back gives out no routes before its brokers have registered again.</summary>
public class AwayNameServerTests
{
    private static readonly TimeSpan Period = TimeSpan.FromHours(1);

    // What lies between two tries while connecting is refused, however long that lasts.
    private static readonly TimeSpan MostBetweenTries = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Register_OneNameServerWasAwayForLong_ItAloneIsToldSoonOnceItIsBack()
    {
        await using var fixture = new RegistrationFixture();
        await using TestNameServer stays = await TestNameServer.StartAsync();
        await using TestNameServer leaves = await TestNameServer.StartAsync();
        await using NameServerRegistration registration = fixture.New(Period, stays.Address, leaves.Address);
        await registration.StartAsync(CancellationToken.None);
        await leaves.GoAwayAsync();

        // More often than it takes a time that doubles to be longer than that.
        for (int tries = 0; tries < 6; tries++)
        {
            TimeSpan next = await NextTryAsync();
            Assert.InRange(next, TimeSpan.Zero, MostBetweenTries);
            fixture.Time.Advance(next);
        }

        TimeSpan last = await NextTryAsync();
        await leaves.ComeBackAsync();
        fixture.Time.Advance(last);

        await Eventually.TrueAsync(() => leaves.Registered == 2, "the registration with the one that is back");
        Assert.InRange(last, TimeSpan.Zero, MostBetweenTries);
        Assert.Equal(1, stays.Registered);
        await registration.StopAsync(keepRoute: true, CancellationToken.None);

        // The time until it is tried again, once the try before has failed; what else the clock has is the period.
        async Task<TimeSpan> NextTryAsync()
        {
            TimeSpan next = TimeSpan.Zero;
            await Eventually.TrueAsync(
                () => (next = fixture.Time.UntilTimers.DefaultIfEmpty(Period).Min()) < Period / 2, "the next try is settled");
            return next;
        }
    }
}
