using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using GrayMQ.Broker;
using GrayMQ.Compatibility.Tests.Wire;
using GrayMQ.NameServer;
using GrayMQ.Settings;
using GrayMQ.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Compatibility.Tests.Servers;

/// <summary>A name server and a broker named as the recorded one, in this process, on free loopback ports and in a folder of their own.</summary>
internal sealed class TestServers : IAsyncDisposable
{
    public const string BrokerName = "broker-a";
    public const string ClusterName = "DefaultCluster";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly string _folder;
    private readonly NameServerHost _nameServer;
    private readonly int _brokerPort = FreePorts.TakeForBroker();
    private readonly string[] _settings;
    private BrokerHost? _broker;

    private TestServers(TimeProvider time, params string[] settings)
    {
        _settings = settings;
        _folder = Directory.CreateTempSubdirectory("graymq-compatibility-").FullName;
        Time = time;
        _nameServer = new NameServerHost(
            NameServerSettings.Catalogue().Load(new SettingsSources()
                .Set("bindAddress=127.0.0.1")
                .Set("listenPort=0")
                .Set($"kvConfigPath={Path.Combine(_folder, "kvConfig.json")}")).GetOrThrow(),
            time,
            NullLoggerFactory.Instance);
    }

    /// <summary>The servers' clock.</summary>
    public TimeProvider Time { get; }

    public IPEndPoint NameServer => _nameServer.EndPoints[0];

    public IPEndPoint Broker => new(IPAddress.Loopback, _brokerPort);

    /// <summary>Where gRPC clients come in.</summary>
    public string Grpc => _broker!.GrpcEndPoint!.ToString();

    /// <summary>As routes name it.</summary>
    public string BrokerAddress => Broker.ToString();

    /// <summary>What the broker registers for replicas: the port next to its own.</summary>
    public string BrokerHaAddress => new IPEndPoint(IPAddress.Loopback, _brokerPort + 1).ToString();

    /// <param name="time">The servers' clock; null means the system's.</param>
    /// <param name="store">An embedded archive with a store directory for the broker to start on; null means an empty one.</param>
    public static async Task<TestServers> StartAsync(TimeProvider? time = null, string? store = null)
    {
        var servers = new TestServers(time ?? TimeProvider.System);
        try
        {
            if (store is not null)
            {
                await servers.UnpackAsync(store);
            }

            await servers._nameServer.StartAsync();
            await servers.StartBrokerAsync();
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    /// <summary>Servers for gRPC clients, too.</summary>
    /// <param name="settings">Of the broker, each <c>key=value</c>.</param>
    public static async Task<TestServers> StartWithGrpcAsync(params string[] settings)
    {
        string grpc = string.Create(CultureInfo.InvariantCulture, $"grpcPort={FreePorts.TakeForBroker()}");
        var servers = new TestServers(TimeProvider.System, [.. settings, grpc]);
        try
        {
            await servers._nameServer.StartAsync();
            await servers.StartBrokerAsync();
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    /// <summary>The name server only.</summary>
    public static async Task<TestServers> StartNameServerAsync(TimeProvider time)
    {
        var servers = new TestServers(time);
        await servers._nameServer.StartAsync();
        return servers;
    }

    /// <summary>A broker that registers with somebody else's name server.</summary>
    public static async Task<TestServers> StartBrokerAloneAsync(TimeProvider time, IPEndPoint nameServer)
    {
        var servers = new TestServers(time);
        try
        {
            await servers.StartBrokerAsync(nameServer);
            return servers;
        }
        catch
        {
            await servers.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the broker, always on the same port; ends when the name server knows it.</summary>
    public async Task StartBrokerAsync()
    {
        await StartBrokerAsync(NameServer);
        await WaitForRouteAsync("TBW102"); // the topic that every broker has
    }

    private async Task StartBrokerAsync(IPEndPoint nameServer)
    {
        var sources = new SettingsSources();
        foreach (string setting in _settings)
        {
            sources = sources.Set(setting);
        }

        _broker = new BrokerHost(
            BrokerSettings.Catalogue.Load(sources
                .Set("bindAddress=127.0.0.1")
                .Set("brokerIP1=127.0.0.1")
                .Set(string.Create(CultureInfo.InvariantCulture, $"listenPort={_brokerPort}"))
                .Set("httpPort=0")
                .Set($"brokerName={BrokerName}")
                .Set($"brokerClusterName={ClusterName}")
                .Set($"namesrvAddr={nameServer}")
                .Set($"storePathRootDir={Path.Combine(_folder, "store")}")

                // The sizes of the recorded broker's files.
                .Set("mappedFileSizeCommitLog=1048576")
                .Set("mappedFileSizeConsumeQueue=6000")
                .Set("maxHashSlotNum=2000")
                .Set("rehearsalMs=0")
                .Set("maxIndexNum=8000")).GetOrThrow(),
            Time,
            NullLoggerFactory.Instance);
        await _broker.StartAsync(CancellationToken.None);
    }

    public async Task StopBrokerAsync()
    {
        if (_broker is { } broker)
        {
            _broker = null;
            using var limit = new CancellationTokenSource(Deadline);
            await broker.StopAsync(limit.Token);
            await broker.DisposeAsync();
        }
    }

    public async Task RestartBrokerAsync()
    {
        await StopBrokerAsync();
        await StartBrokerAsync();
    }

    /// <summary>Creates a topic as an administrator does; ends when its route is known.</summary>
    public async Task CreateTopicAsync(string topic, int queues)
    {
        using WireConnection connection = await WireConnection.OpenAsync(Broker);
        WireFrame answer = await connection.AskAsync(WireFrames.CreateTopic(topic, queues.ToString(CultureInfo.InvariantCulture)));
        Assert.Equal(0, answer.Code);
        await WaitForRouteAsync(topic);
    }

    /// <summary>Creates a consumer group as an administrator does.</summary>
    public async Task CreateGroupAsync(string group, bool orderly, int retryMaxTimes)
    {
        using WireConnection connection = await WireConnection.OpenAsync(Broker);
        WireFrame answer = await connection.AskAsync(WireFrames.CreateGroup(group, orderly, retryMaxTimes));
        Assert.Equal(0, answer.Code);
    }

    /// <summary>Waits until a topic holds so many messages in its first queue.</summary>
    public async Task WaitForMessagesAsync(string topic, long count)
    {
        using WireConnection connection = await WireConnection.OpenAsync(Broker);
        byte[] request = WireFrames.GetMaxOffset(topic, "0");
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            WireFrame answer = await connection.AskAsync(request);
            if (answer.Code == 0 && long.Parse(answer.Fields["offset"], CultureInfo.InvariantCulture) >= count)
            {
                return;
            }

            Assert.True(Stopwatch.GetElapsedTime(started) < WireConnection.Deadline, $"{topic} does not get {count} messages");
            await Task.Yield();
        }
    }

    private async Task UnpackAsync(string archive)
    {
        await using Stream packed = typeof(TestServers).Assembly.GetManifestResourceStream(archive)
            ?? throw new FileNotFoundException($"no archive {archive}");
        await using var tar = new GZipStream(packed, CompressionMode.Decompress);
        await TarFile.ExtractToDirectoryAsync(tar, _folder, overwriteFiles: false);
    }

    private async Task WaitForRouteAsync(string topic)
    {
        byte[] request = WireFrames.GetRoute(topic);
        using WireConnection connection = await WireConnection.OpenAsync(NameServer);
        long started = Stopwatch.GetTimestamp();
        while ((await connection.AskAsync(request)).Code != 0)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Deadline, $"the broker does not register {topic}");
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopBrokerAsync();
        await _nameServer.StopAsync();
        await _nameServer.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
