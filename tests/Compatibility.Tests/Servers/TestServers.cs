using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
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
    private readonly TestBroker _broker;
    private readonly List<TestBroker> _others = [];

    private TestServers(TimeProvider time, params string[] settings)
    {
        _folder = Directory.CreateTempSubdirectory("graymq-compatibility-").FullName;
        Time = time;
        _broker = new TestBroker(BrokerName, Path.Combine(_folder, "store"), time, settings);
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

    public IPEndPoint Broker => _broker.EndPoint;

    /// <summary>Where gRPC clients come in.</summary>
    public string Grpc => _broker.Grpc;

    /// <summary>As routes name it.</summary>
    public string BrokerAddress => _broker.Address;

    /// <summary>What the broker registers for replicas: the port next to its own.</summary>
    public string BrokerHaAddress => _broker.HaAddress;

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
        var servers = new TestServers(TimeProvider.System, [.. settings, GrpcPort()]);
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
            await servers._broker.StartAsync(nameServer);
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
        await _broker.StartAsync(NameServer);
        await WaitForRouteAsync("TBW102", _broker.Address); // the topic that every broker has
    }

    /// <summary>Starts one more broker with gRPC of its own; ends when the name server knows it.</summary>
    /// <param name="settings">Each <c>key=value</c>.</param>
    public async Task<TestBroker> StartAnotherAsync(string name, params string[] settings)
    {
        var broker = new TestBroker(name, Path.Combine(_folder, name), Time, [.. settings, GrpcPort()]);
        _others.Add(broker);
        await broker.StartAsync(NameServer);
        await WaitForRouteAsync("TBW102", broker.Address);
        return broker;
    }

    public Task StopBrokerAsync() => _broker.StopAsync();

    public async Task RestartBrokerAsync()
    {
        await StopBrokerAsync();
        await StartBrokerAsync();
    }

    /// <summary>Creates a topic at every broker as an administrator does; ends when its routes are known.</summary>
    public async Task CreateTopicAsync(string topic, int queues)
    {
        foreach (TestBroker broker in (TestBroker[])[_broker, .. _others])
        {
            using WireConnection connection = await WireConnection.OpenAsync(broker.EndPoint);
            WireFrame answer = await connection.AskAsync(WireFrames.CreateTopic(topic, queues.ToString(CultureInfo.InvariantCulture)));
            Assert.Equal(0, answer.Code);
            await WaitForRouteAsync(topic, broker.Address);
        }
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

    private static string GrpcPort() => string.Create(CultureInfo.InvariantCulture, $"grpcPort={FreePorts.TakeForBroker()}");

    private async Task WaitForRouteAsync(string topic, string broker)
    {
        byte[] request = WireFrames.GetRoute(topic);
        using WireConnection connection = await WireConnection.OpenAsync(NameServer);
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            WireFrame answer = await connection.AskAsync(request);
            if (answer.Code == 0 && Encoding.UTF8.GetString(answer.Body).Contains($"\"{broker}\"", StringComparison.Ordinal))
            {
                return;
            }

            Assert.True(Stopwatch.GetElapsedTime(started) < Deadline, $"{broker} does not register {topic}");
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (TestBroker broker in _others)
        {
            await broker.DisposeAsync();
        }

        await _broker.DisposeAsync();
        await _nameServer.StopAsync();
        await _nameServer.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
