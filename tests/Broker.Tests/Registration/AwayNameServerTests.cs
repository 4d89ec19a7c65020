using System.Net;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Serving;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Registration;

/// <summary>A name server that comes back gives out no routes before its brokers have registered again.</summary>
public sealed class AwayNameServerTests : IDisposable
{
    private readonly BrokerDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Register_OneNameServerWasAwayForLong_ItAloneIsToldSoonOnceItIsBack()
    {
        TopicTable topics = _directory.OpenTopics();
        var stays = new Registrations();
        var leaves = new Registrations();
        await using TestServer staying = await TestServer.StartAsync(stays.Requests);
        TestServer leaving = await TestServer.StartAsync(leaves.Requests);
        await using var client = new RemotingClient(
            RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string away = leaving.Address;
        client.ConnectionClosed += (address, _) => closed.TrySetResult();
        await using var registration = new NameServerRegistration(
            OrderedTopicsTests.Options(staying.Address) with { NameServers = [staying.Address, away], Period = TimeSpan.FromHours(1) },
            topics,
            new RouteView(new NarrowRules(topics, new GrayTable()), _directory.Time),
            client,
            _directory.Time,
            NullLogger<NameServerRegistration>.Instance);
        await registration.StartAsync(CancellationToken.None);
        await leaving.DisposeAsync();
        await closed.Task;

        // For some minutes it is tried again and again, in vain.
        for (int i = 0; i < 100; i++)
        {
            _directory.Time.Advance(TimeSpan.FromSeconds(2));
            await Task.Yield();
        }

        leaving = await TestServer.StartAsync(leaves.Requests, at: IPEndPoint.Parse(away));
        TimeSpan waited = TimeSpan.Zero;
        await Eventually.TrueAsync(
            () =>
            {
                // An attempt that is under way needs no time of this clock.
                if (leaves.Count < 2 && waited < TimeSpan.FromSeconds(4))
                {
                    _directory.Time.Advance(TimeSpan.FromSeconds(1));
                    waited += TimeSpan.FromSeconds(1);
                }

                return leaves.Count == 2;
            },
            "the registration with the one that is back");

        Assert.Equal(1, stays.Count);
        await registration.StopAsync(keepRoute: true, CancellationToken.None);
        await leaving.DisposeAsync();
    }

    private sealed class Registrations
    {
        private int _count;

        public Registrations() => Requests = new RequestTable().On<RegisterBrokerHeader>(RequestCode.RegisterBroker, (request, _) =>
        {
            Interlocked.Increment(ref _count);
            request.Reply(BodyCodec.Encode(new KVTable()));
            return ValueTask.CompletedTask;
        });

        public RequestTable Requests { get; }

        public int Count => Volatile.Read(ref _count);
    }
}
