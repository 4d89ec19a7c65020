using System.Collections.Concurrent;
using System.Net;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>A name server's side of the conversation: it notes what the broker says of itself, and tells what the test wants.</summary>
internal sealed class TestNameServer : IAsyncDisposable
{
    private readonly ConcurrentQueue<RegisterBrokerBody> _registrations = new();
    private readonly RequestTable _requests = new();
    private TestServer? _server;
    private string _address = "";
    private int _unregistered;
    private int _asked;
    private int _registered;

    public string Address => _address;

    /// <summary>Topics that another broker has, with the permission that it has there.</summary>
    public ConcurrentDictionary<string, int> Elsewhere { get; } = new();

    /// <summary>Where that broker answers gRPC, as it registered; null when nobody said.</summary>
    public volatile string? GrpcElsewhere;

    /// <summary>It has just come back, and gives out no routes yet.</summary>
    public volatile bool IsNotReady;

    /// <summary>Who asks for a route loses his connection.</summary>
    public volatile bool BreaksOff;

    /// <summary>How many routes were asked for.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Who leaves beside the broker; it may not while there is somebody.</summary>
    public volatile string Others = "";

    /// <summary>What a registration waits for before it is answered.</summary>
    public volatile Func<Task> BeforeAnswer = () => Task.CompletedTask;

    /// <summary>Topics that an administrator ordered across brokers, which who registers is told.</summary>
    public KVTable Ordered { get; } = new();

    /// <summary>How often the broker registered, also before the name server went away.</summary>
    public int Registered => Volatile.Read(ref _registered);

    public ConcurrentQueue<LeaseDrainHeader> Leases { get; } = new();

    public int Returns { get; private set; }

    /// <summary>Whether the broker was given the lease, and has not returned it.</summary>
    public volatile bool HasLease;

    /// <summary>Whether the broker has left the routes, and has not come back.</summary>
    public bool IsUnregistered => Volatile.Read(ref _unregistered) > 0;

    public static async Task<TestNameServer> StartAsync()
    {
        var server = new TestNameServer();
        server._requests
            .On<RegisterBrokerHeader>(RequestCode.RegisterBroker, server.Register)
            .On<UnregisterBrokerHeader>(RequestCode.UnregisterBroker, server.Unregister)
            .On<GetRouteInfoHeader>(RequestCode.GetRouteInfoByTopic, server.Route)
            .On<LeaseDrainHeader>(RequestCode.LeaseDrain, server.Lease)
            .On<ReturnDrainHeader>(RequestCode.ReturnDrain, server.Return);
        server._address = FreePorts.ClosedAddress();
        await server.ComeBackAsync();
        return server;
    }

    /// <summary>From now on nobody answers; what is known is forgotten.</summary>
    public async Task GoAwayAsync()
    {
        await DisposeAsync();
        _server = null;
        _registrations.Clear();
        HasLease = false;
    }

    /// <summary>Answers again, at the same address.</summary>
    public async Task ComeBackAsync() => _server = await TestServer.StartAsync(_requests, at: IPEndPoint.Parse(_address));

    /// <summary>The topic as it was registered last.</summary>
    public TopicConfig? Find(string topic) =>
        _registrations.LastOrDefault()?.TopicConfigSerializeWrapper.TopicConfigTable.GetValueOrDefault(topic);

    public bool IsWritable(string topic) => Find(topic) is { } config && TopicPermission.IsWritable(config.Perm);

    public DataVersion Version => _registrations.Last().TopicConfigSerializeWrapper.DataVersion;

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async ValueTask Register(RemotingRequest request, RegisterBrokerHeader header)
    {
        Volatile.Write(ref _unregistered, 0);
        _registrations.Enqueue(RegisterBrokerBodyCodec.Decode(request.Body, header.Compressed, request.Version));
        Interlocked.Increment(ref _registered);
        await BeforeAnswer();
        request.Reply(BodyCodec.Encode(Ordered));
    }

    private ValueTask Unregister(RemotingRequest request, UnregisterBrokerHeader header)
    {
        Interlocked.Increment(ref _unregistered);
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    private ValueTask Route(RemotingRequest request, GetRouteInfoHeader header)
    {
        Interlocked.Increment(ref _asked);
        if (BreaksOff)
        {
            request.Connection.Abort("the test wants it");
            return ValueTask.CompletedTask;
        }

        string topic = System.Text.Encoding.UTF8.GetString(header.TopicUtf8.Span);
        if (IsNotReady)
        {
            request.Reply(ResponseCode.SystemError, "name server not ready");
            return ValueTask.CompletedTask;
        }

        if (!Elsewhere.TryGetValue(topic, out int permission))
        {
            request.Reply(ResponseCode.TopicNotExist, "no route");
            return ValueTask.CompletedTask;
        }

        request.Reply(BodyCodec.Encode(new TopicRouteData
        {
            BrokerDatas = [new BrokerData { BrokerName = "broker-b", Cluster = RunningBroker.Cluster, BrokerAddrs = new() { [0] = "127.0.0.1:1" }, GrpcAddrs = GrpcElsewhere is { } address ? new() { [0] = address } : null }],
            QueueDatas = [new QueueData { BrokerName = "broker-b", Perm = permission, ReadQueueNums = 4, WriteQueueNums = 4 }],
        }));
        return ValueTask.CompletedTask;
    }

    private ValueTask Lease(RemotingRequest request, LeaseDrainHeader header)
    {
        Leases.Enqueue(header);
        HasLease |= Others.Length == 0;
        request.Reply(new LeaseDrainResponseHeader { Granted = Others.Length == 0, Others = Others });
        return ValueTask.CompletedTask;
    }

    private ValueTask Return(RemotingRequest request, ReturnDrainHeader header)
    {
        Returns++;
        HasLease = false;
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }
}
