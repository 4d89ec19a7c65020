using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>A broker that leaves is interrupted at each of its steps, and is whole again: in the routes, for sending and for receiving.</summary>
public class DrainInterruptionTests
{
    /// <summary>What a leaving broker waits for.</summary>
    public enum Station
    {
        Lease,
        Quiet,
        Consumed,
        Committed,
        LastCommits,
        Drained,
    }

    public static TheoryData<Station> Stations => [.. Enum.GetValues<Station>()];

    [Theory]
    [MemberData(nameof(Stations))]
    public async Task Undrain_AtEachStep_TheBrokerIsWhole(Station station)
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        await LeaveUntilAsync(broker, station);

        await broker.UndrainAsync();

        await AssertWholeAsync(broker);
    }

    [Theory]
    [MemberData(nameof(Stations))]
    public async Task Kill_AtEachStep_TheBrokerIsWholeWhenItIsBack(Station station)
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        await LeaveUntilAsync(broker, station);

        await broker.KillAsync();

        await AssertWholeAsync(broker);
    }

    [Theory]
    [MemberData(nameof(Stations))]
    public async Task TakeOver_AtEachStep_TheSuccessorIsWholeAndTheRoutesStayedMeanwhile(Station station)
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        await LeaveUntilAsync(broker, station);

        await broker.ReplaceAsync();

        Assert.True(broker.NameServer.Leases.Last().ReturnMs > 0);
        await AssertWholeAsync(broker);
    }

    [Theory]
    [MemberData(nameof(Stations))]
    public async Task NameServerAway_AtEachStep_TheBrokerIsWholeWhenItIsBack(Station station)
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        await LeaveUntilAsync(broker, station);
        await broker.NameServer.GoAwayAsync();

        await broker.UndrainAsync();

        await broker.NameServer.ComeBackAsync();
        await broker.UntilAsync(_ => broker.NameServer.IsWritable("T"), "the routes");
        await AssertWholeAsync(broker);
    }

    // What nobody can be asked for holds nothing up.
    [Theory]
    [MemberData(nameof(Stations))]
    public async Task NameServerAway_AtEachStep_TheBrokerLeavesAllTheSame(Station station)
    {
        await using LeavingBroker broker = await LeavingBroker.StartAsync();
        Peer consumer = await LeaveUntilAsync(broker, station);
        await broker.NameServer.GoAwayAsync();

        if (station == Station.Consumed)
        {
            await LeavingBroker.CommitAsync(consumer, 1);
        }

        await broker.UntilAsync(report => report.State == "drained", "leaving");
    }

    // One message is stored, and one consumer is connected. The producer is gone where the station is not about producers.
    private static async Task<Peer> LeaveUntilAsync(LeavingBroker broker, Station station)
    {
        Peer consumer = await broker.ConsumeAsync();
        Peer producer = await broker.ProduceAsync();
        await LeavingBroker.CommitAsync(consumer, station == Station.LastCommits ? 1 : 0);
        if (station == Station.Committed)
        {
            await consumer.PullAsync(Pulls.Header("T", 0));
        }

        if (station > Station.Quiet)
        {
            await producer.DisposeAsync();
            await broker.UntilAsync(report => report.Senders == 0, "the end of the connection", TimeSpan.Zero);
        }

        broker.NameServer.Others = station == Station.Lease ? "broker-b" : "";
        await broker.DrainAsync(scaleIn: station is Station.Consumed or Station.LastCommits);
        if (station == Station.LastCommits)
        {
            await broker.UntilAsync(
                report => report.WaitingFor?.StartsWith("a last look", StringComparison.Ordinal) == true, "a last look", TimeSpan.Zero);
        }

        // The last look takes a moment, and the last commits have a minute.
        TimeSpan? limit = station switch
        {
            Station.Drained => null,
            Station.LastCommits => TimeSpan.FromSeconds(30),
            _ => TimeSpan.Zero,
        };
        await broker.UntilAsync(report => IsAt(station, report), $"{station}", limit);
        broker.NameServer.Others = "";
        return consumer;
    }

    private static bool IsAt(Station station, LifecycleReport report) => station == Station.Drained
        ? report.State == "drained"
        : report.State == "draining" && report.WaitingFor?.Contains(
            station switch
            {
                Station.Lease => "broker-b to be back",
                Station.Quiet => "producers to go elsewhere",
                Station.Consumed => "messages for group",
                Station.Committed => "consumers to commit",
                _ => "the last commits",
            },
            StringComparison.Ordinal) == true;

    private static async Task AssertWholeAsync(LeavingBroker broker)
    {
        Assert.True(broker.NameServer.IsWritable("T"));
        Assert.False(broker.NameServer.IsUnregistered);
        Assert.False(broker.NameServer.HasLease);
        LifecycleReport report = await broker.ShowAsync();
        Assert.Equal(("serving", true, true), (report.State, report.Ready, report.Accepting));
        Assert.Equal((null, null), (report.Drain, report.WaitingFor));

        Peer client = broker.Broker.Connect("whole");
        RemotingCommand reply = await client.StoreAsync("T", "two");
        Assert.False(SendMessageResponseHeader.Read(reply.Fields).Leaving);
        await client.DispatchedAsync("T", 2);
        Assert.Equal(["one", "two"], Pulls.Bodies(await client.PullAsync(Pulls.Header("T", 0))));
        Assert.Equal(ResponseCode.Success, (await client.PopAsync(Pops.Header("T"))).ResponseCode);

        // And it can leave again.
        await broker.DrainAsync();
        await broker.UntilAsync(again => again.State == "drained", "leaving again");
    }
}
