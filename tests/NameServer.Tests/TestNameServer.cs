using System.Globalization;
using System.Net;
using System.Net.Sockets;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Transports;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.NameServer.Tests;

/// <summary>A name server on a port and in a folder of its own, and clients to talk to it.</summary>
internal sealed class TestNameServer : IAsyncDisposable
{
    public const string Cluster = "C";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly NameServerHost _host;
    private readonly RemotingClient _client = NewClient();

    private TestNameServer(NameServerHost host, string folder, ManualTime time)
    {
        _host = host;
        Folder = folder;
        Time = time;
    }

    public string Folder { get; }

    public ManualTime Time { get; }

    public int Port => _host.EndPoints[0].Port;

    public string Address => $"127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)}";

    public IPEndPoint? HttpEndPoint => _host.HttpEndPoint;

    public static Task<TestNameServer> StartAsync(params string[] settings) =>
        StartInAsync(Directory.CreateTempSubdirectory("namesrv-test-").FullName, settings);

    public static async Task<TestNameServer> StartInAsync(string folder, params string[] settings)
    {
        var time = new ManualTime();
        return await StartAsync(NewHost(folder, time, null, settings), folder, time);
    }

    /// <summary>With HTTP on a port of its own.</summary>
    public static Task<TestNameServer> StartWithHttpAsync(params string[] settings) =>
        StartWithHttpInAsync(Directory.CreateTempSubdirectory("namesrv-test-").FullName, settings);

    public static async Task<TestNameServer> StartWithHttpInAsync(string folder, params string[] settings)
    {
        var time = new ManualTime();
        return await StartAsync(NewHostWithHttp(folder, time, settings), folder, time);
    }

    public static NameServerHost NewHostWithHttp(string folder, ManualTime time, params string[] settings)
    {
        // Bound here, as by systemd: nobody else gets the port in between.
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        int port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        return NewHost(
            folder, time, new ListeningSockets(socket), [.. settings, string.Create(CultureInfo.InvariantCulture, $"httpPort={port}")]);
    }

    private static NameServerHost NewHost(string folder, ManualTime time, ListeningSockets? sockets, string[] settings)
    {
        var sources = new SettingsSources()
            .Set("bindAddress=127.0.0.1")
            .Set("listenPort=0")
            .Set("grayPollInterval=10")
            .Set($"kvConfigPath={Path.Combine(folder, "kvConfig.json")}");
        string file = Path.Combine(folder, "namesrv.conf");
        if (File.Exists(file))
        {
            sources.File(file);
        }

        foreach (string setting in settings)
        {
            sources.Set(setting);
        }

        return new NameServerHost(
            NameServerSettings.Catalogue().Load(sources).GetOrThrow(),
            time,
            NullLoggerFactory.Instance,
            File.Exists(file) ? file : null,
            sockets: sockets);
    }

    private static async Task<TestNameServer> StartAsync(NameServerHost host, string folder, ManualTime time)
    {
        await host.StartAsync();
        return new TestNameServer(host, folder, time);
    }

    public static RemotingClient NewClient() =>
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    public static TopicConfigAndMappingSerializeWrapper Topics(params string[] names) => new()
    {
        DataVersion = new DataVersion(1, 0, 1_000),
        TopicConfigTable = names.ToDictionary(
            name => name, name => new TopicConfig { TopicName = name, ReadQueueNums = 8, WriteQueueNums = 4 }),
    };

    public async Task<RemotingCommand> AskAsync<THeader>(
        RequestCode code, THeader header, byte[]? body = null, RemotingClient? client = null)
        where THeader : IHeaderFields =>
        await (client ?? _client).InvokeAsync(Address, code, header, body, Timeout);

    public async Task<RemotingCommand> AskSuccessfullyAsync<THeader>(
        RequestCode code, THeader header, byte[]? body = null, RemotingClient? client = null)
        where THeader : IHeaderFields
    {
        RemotingCommand response = await AskAsync(code, header, body, client);
        Assert.True(response.ResponseCode == ResponseCode.Success, $"{code}: {response.ResponseCode} {response.Remark}");
        return response;
    }

    /// <summary>Registers a broker as it does itself; the address stands for its name unless given.</summary>
    public Task<RemotingCommand> RegisterAsync(
        string name,
        TopicConfigAndMappingSerializeWrapper topics,
        RegisterBrokerHeader? header = null,
        bool compress = false,
        RemotingClient? client = null)
    {
        byte[] body = RegisterBrokerBodyCodec.Encode(new RegisterBrokerBody { TopicConfigSerializeWrapper = topics }, compress);
        header ??= Header(name);
        return AskAsync(
            RequestCode.RegisterBroker,
            header with { BrokerName = name, Compressed = compress, BodyCrc32 = Crc32.OfBody(body) },
            body,
            client);
    }

    public async Task RegisterSuccessfullyAsync(
        string name,
        TopicConfigAndMappingSerializeWrapper topics,
        RegisterBrokerHeader? header = null,
        bool compress = false,
        RemotingClient? client = null) =>
        Assert.Equal(ResponseCode.Success, (await RegisterAsync(name, topics, header, compress, client)).ResponseCode);

    public static RegisterBrokerHeader Header(string name, long id = 0) => new()
    {
        BrokerName = name,
        BrokerAddress = $"{name}-{id}:10911",
        ClusterName = Cluster,
        HaServerAddress = $"{name}-{id}:10912",
        BrokerId = id,
        EnableActingMaster = false,
    };

    /// <summary>The topic's route, or null when it has none.</summary>
    public async Task<TopicRouteData?> FindRouteAsync(string topic)
    {
        RemotingCommand response = await AskAsync(RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader(topic));
        return response.ResponseCode == ResponseCode.TopicNotExist ? null : BodyCodec.Decode<TopicRouteData>(response.Body);
    }

    /// <summary>The same while the server may be closing the connection: false when there was no answer.</summary>
    public async Task<(bool Answered, TopicRouteData? Route)> TryFindRouteAsync(string topic)
    {
        try
        {
            return (true, await FindRouteAsync(topic));
        }
        catch (ConnectionClosedException)
        {
            return (false, null);
        }
    }

    public async Task<ClusterInfo> DescribeClustersAsync() => BodyCodec.Decode<ClusterInfo>(
        (await AskSuccessfullyAsync(RequestCode.GetBrokerClusterInfo, default(NoHeader))).Body);

    public async Task<List<string>> ListTopicsAsync() => BodyCodec.Decode<TopicList>(
        (await AskSuccessfullyAsync(RequestCode.GetAllTopicListFromNameServer, default(NoHeader))).Body).Topics;

    public Task DrainAsync(CancellationToken hurry) => _host.DrainAsync(hurry);

    /// <summary>Stops the server; its folder stays.</summary>
    public async Task StopAsync()
    {
        await _client.DisposeAsync();
        await _host.StopAsync();
        await _host.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
