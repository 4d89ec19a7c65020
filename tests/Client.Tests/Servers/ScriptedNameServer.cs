using System.Collections.Concurrent;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Client.Tests.Servers;

/// <summary>A name server that knows the routes that a test gives it.</summary>
internal sealed class ScriptedNameServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, TopicRouteData> _routes = new();
    private readonly ConcurrentDictionary<RemotingPeer, bool> _watchers = new();
    private TestServer _server = null!;
    private int _asked;

    public string Address => _server.Address;

    public int Port => _server.Port;

    /// <summary>What it gives out as the gray state; null for that it knows none.</summary>
    public GraySnapshot? Gray { get; set; }

    /// <summary>It has just come back, and gives out no routes yet.</summary>
    public volatile bool IsNotReady;

    /// <summary>Until this has completed, whoever is to be refused waits for it.</summary>
    public volatile Task Held = Task.CompletedTask;

    /// <summary>Connections that are told when the gray state changes.</summary>
    public int Watchers => _watchers.Count;

    /// <summary>Changes the gray state, and says so to all who watch.</summary>
    public void TellGray(GraySnapshot snapshot)
    {
        Gray = snapshot;
        foreach (RemotingPeer watcher in _watchers.Keys)
        {
            watcher.SendOneWay(
                RequestCode.GrayStateChanged,
                new GrayVersionHeader { Epoch = snapshot.Version.Epoch, Version = snapshot.Version.Version });
        }
    }

    /// <summary>How many routes were asked for.</summary>
    public int Asked => Volatile.Read(ref _asked);

    public static async Task<ScriptedNameServer> StartAsync(int port = 0)
    {
        var nameServer = new ScriptedNameServer();
        var requests = new RequestTable();
        requests.On<GetRouteInfoHeader>(RequestCode.GetRouteInfoByTopic, nameServer.HandleRoute);
        requests.On<GetGrayStateHeader>(RequestCode.GetGrayState, nameServer.HandleGray);
        nameServer._server = await TestServer.StartAsync(requests, port);
        return nameServer;
    }

    public static TopicRouteData RouteOf(int queues, params ScriptedBroker[] brokers) => new()
    {
        BrokerDatas = [.. brokers.Select(broker => new BrokerData
        {
            BrokerName = broker.Name,
            Cluster = "c",
            BrokerAddrs = new() { [BrokerData.MasterId] = broker.Address },
        })],
        QueueDatas = [.. brokers.Select(broker => new QueueData
        {
            BrokerName = broker.Name,
            Perm = 6,
            ReadQueueNums = queues,
            WriteQueueNums = queues,
        })],
    };

    public ScriptedNameServer With(string topic, TopicRouteData route)
    {
        _routes[topic] = route;
        return this;
    }

    public ScriptedNameServer With(string topic, int queues, params ScriptedBroker[] brokers) =>
        With(topic, RouteOf(queues, brokers));

    public void Without(string topic) => _routes.TryRemove(topic, out _);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private ValueTask HandleGray(RemotingRequest request, GetGrayStateHeader header)
    {
        if (header.Watch)
        {
            _watchers[request.Connection] = true;
        }

        request.Responder.Reply(
            ResponseCode.Success,
            null,
            new GetGrayStateResponseHeader { Answer = Gray is null ? GrayStateAnswer.Unknown : GrayStateAnswer.Snapshot },
            new MemoryBody(Gray is null ? default : GrayJson.Encode(Gray)));
        return ValueTask.CompletedTask;
    }

    private ValueTask HandleRoute(RemotingRequest request, GetRouteInfoHeader header)
    {
        Interlocked.Increment(ref _asked);
        string topic = System.Text.Encoding.UTF8.GetString(header.TopicUtf8.Span);
        if (IsNotReady)
        {
            _ = RefuseAsync(request.Responder);
        }
        else if (_routes.TryGetValue(topic, out TopicRouteData? route))
        {
            request.Reply(BodyCodec.Encode(route));
        }
        else
        {
            request.Reply(ResponseCode.TopicNotExist, $"no route for {topic}");
        }

        return ValueTask.CompletedTask;
    }

    private async Task RefuseAsync(Responder responder)
    {
        await Held;
        responder.Reply(ResponseCode.SystemError, "name server not ready");
    }
}
