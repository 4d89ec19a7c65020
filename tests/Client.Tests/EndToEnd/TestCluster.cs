using System.Globalization;
using GrayMQ.Broker;
using GrayMQ.NameServer;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Tests.EndToEnd;

/// <summary>A name server and brokers, all real, in this process, on free ports and in a folder of their own.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("client-test-").FullName;
    private readonly Dictionary<string, BrokerHost> _brokers = [];
    private readonly Dictionary<string, int> _ports = [];
    private NameServerHost _nameServer = null!;
    private IReadOnlyList<string> _settings = [];

    public string NameServers { get; private set; } = "";

    public IEnumerable<string> BrokerAddresses => _ports.Values.Select(port => $"127.0.0.1:{port}");

    public string Folder => _folder;

    /// <summary>Where a broker listens.</summary>
    public string AddressOf(string broker) => $"127.0.0.1:{_ports[broker].ToString(CultureInfo.InvariantCulture)}";

    /// <summary>Starts one broker for each name.</summary>
    public static Task<TestCluster> StartAsync(params string[] brokerNames) => StartAsync([], brokerNames);

    /// <summary>Starts one broker for each name, each with settings of the test's own.</summary>
    public static async Task<TestCluster> StartAsync(IReadOnlyList<string> settings, params string[] brokerNames)
    {
        var cluster = new TestCluster { _settings = settings };
        SettingsSources sources = new SettingsSources()
            .Set("bindAddress=127.0.0.1")
            .Set("listenPort=0")
            .Set($"kvConfigPath={Path.Combine(cluster._folder, "kvConfig.json")}");
        cluster._nameServer = new NameServerHost(
            NameServerSettings.Catalogue().Load(sources).GetOrThrow(), TimeProvider.System, NullLoggerFactory.Instance);
        await cluster._nameServer.StartAsync();
        cluster.NameServers = $"127.0.0.1:{cluster._nameServer.EndPoints[0].Port.ToString(CultureInfo.InvariantCulture)}";
        foreach (string name in brokerNames)
        {
            await cluster.StartBrokerAsync(name);
        }

        return cluster;
    }

    /// <summary>Makes a topic at every broker; returns when the name server knows it there.</summary>
    public async Task CreateTopicAsync(string topic, int queues)
    {
        await using var client = new RemotingClient(
            RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);
        foreach (int port in _ports.Values)
        {
            RemotingCommand response = await client.InvokeAsync(
                $"127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}",
                RequestCode.UpdateAndCreateTopic,
                new CreateTopicHeader { Topic = topic, ReadQueueNums = queues, WriteQueueNums = queues, Permission = 6 },
                default,
                Eventually.Deadline);
            Assert.Equal(ResponseCode.Success, response.ResponseCode);
        }

        int known = 0;
        while (known < _ports.Count)
        {
            RemotingCommand route = await client.InvokeAsync(
                NameServers, RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader(topic), default, Eventually.Deadline);
            known = route.ResponseCode == ResponseCode.Success
                ? BodyCodec.Decode<TopicRouteData>(route.Body).BrokerDatas.Count
                : 0;
        }
    }

    /// <summary>Starts a broker, again if it was stopped: on its port, with what it stored.</summary>
    public async Task StartBrokerAsync(string name)
    {
        if (!_ports.TryGetValue(name, out int port))
        {
            port = FreePorts.TakeForBroker();
            _ports[name] = port;
        }

        SettingsSources sources = new SettingsSources()
            .Set("brokerClusterName=test")
            .Set($"brokerName={name}")
            .Set("brokerIP1=127.0.0.1")
            .Set("bindAddress=127.0.0.1")
            .Set($"listenPort={port.ToString(CultureInfo.InvariantCulture)}")
            .Set($"namesrvAddr={NameServers}")
            .Set($"storePathRootDir={Path.Combine(_folder, name)}")
            .Set("mappedFileSizeCommitLog=4194304")
            .Set("mappedFileSizeConsumeQueue=20000")
            .Set("maxHashSlotNum=1000")
            .Set("maxIndexNum=4000")
            .Set("rehearsalMs=0")
            .Set("flushDiskType=ASYNC_FLUSH");
        foreach (string setting in _settings)
        {
            sources.Set(setting);
        }

        var broker = new BrokerHost(
            BrokerSettings.Catalogue.Load(sources).GetOrThrow(), TimeProvider.System, NullLoggerFactory.Instance);
        await broker.StartAsync(CancellationToken.None);
        _brokers[name] = broker;
    }

    public async Task StopBrokerAsync(string name)
    {
        BrokerHost broker = _brokers[name];
        _brokers.Remove(name);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await broker.StopAsync(patience.Token);
        await broker.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string name in _brokers.Keys.ToArray())
        {
            await StopBrokerAsync(name);
        }

        await _nameServer.StopAsync();
        await _nameServer.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
