using System.Collections.Concurrent;
using GrayMQ.Broker.Configuration;
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

public sealed class OrderedTopicsTests : IDisposable
{
    private readonly BrokerDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Register_NameServerOrdersATopic_ItKeepsItsOrderAndIsRegisteredSo()
    {
        TopicTable topics = _directory.OpenTopics();
        topics.Put(new TopicConfig { TopicName = "ordered" }, new TopicConfig { TopicName = "other" });
        var registered = new ConcurrentQueue<RegisterBrokerBody>();
        await using TestServer nameServer = await TestServer.StartAsync(new RequestTable()
            .On<RegisterBrokerHeader>(RequestCode.RegisterBroker, (request, header) =>
            {
                registered.Enqueue(RegisterBrokerBodyCodec.Decode(request.Body, header.Compressed, request.Version));
                request.Reply(BodyCodec.Encode(new KVTable { Table = new() { ["ordered"] = "broker-a:4", ["elsewhere"] = "broker-b:4" } }));
                return ValueTask.CompletedTask;
            })
            .On<UnregisterBrokerHeader>(RequestCode.UnregisterBroker, (request, _) =>
            {
                request.Reply(ResponseCode.Success);
                return ValueTask.CompletedTask;
            }));
        await using var client = new RemotingClient(
            RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);
        await using var registration = new NameServerRegistration(
            Options(nameServer.Address), topics, new RouteView(new NarrowRules(topics, new GrayTable()), _directory.Time), client, _directory.Time, NullLogger<NameServerRegistration>.Instance);

        await registration.StartAsync(CancellationToken.None);

        Assert.True(topics.Find("ordered")!.Config.Order);
        Assert.False(topics.Find("other")!.Config.Order);
        await Eventually.TrueAsync(
            () => registered.Any(body => body.TopicConfigSerializeWrapper.TopicConfigTable["ordered"].Order), "the order is to be told");
        await registration.StopAsync(keepRoute: false, CancellationToken.None);
    }

    internal static RegistrationOptions Options(string nameServer) => new()
    {
        NameServers = [nameServer],
        ClusterName = "DefaultCluster",
        BrokerName = "broker-a",
        BrokerId = 0,
        BrokerAddress = "127.0.0.1:10911",
        HaServerAddress = "127.0.0.1:10912",
        Period = TimeSpan.FromSeconds(30),
        Timeout = TimeSpan.FromSeconds(60),
        Compress = false, // the compressed form does not carry the order
        NotActiveTimeout = TimeSpan.FromSeconds(120),
        BrokerPermission = new LiveSetting<int>(6),
    };
}
