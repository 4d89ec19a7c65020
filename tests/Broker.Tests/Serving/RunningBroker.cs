using System.Net;
using System.Net.Sockets;
using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Transports;
using GrayMQ.Settings;
using GrayMQ.Store.Files;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Serving;

/// <summary>A whole broker on a directory of its own and on free ports, which can be stopped and started again.</summary>
internal sealed class RunningBroker : IAsyncDisposable
{
    public const string Name = "broker-a";
    public const string Cluster = "TestCluster";

    private readonly string _root = Directory.CreateTempSubdirectory("graymq-broker-").FullName;
    private readonly List<(string Key, string Value)> _settings;
    private readonly List<Peer> _peers = [];
    private readonly IStoreFileSystem? _files;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private BrokerHost? _host;

    private RunningBroker(
        (string Key, string Value)[] settings, IStoreFileSystem? files, TimeProvider time, ILoggerFactory loggers)
    {
        _settings = [.. settings];
        _files = files;
        _time = time;
        _loggers = loggers;
    }

    /// <summary>The file that the settings come from, as with -c.</summary>
    public string SettingsPath => Path.Combine(_root, "broker.conf");

    public IPEndPoint Http => _host!.HttpEndPoint!;

    /// <summary>A client of the pages there.</summary>
    public HttpClient OpenHttp() => new() { BaseAddress = new Uri($"http://{Http}") };

    /// <summary>The address that peers connect to.</summary>
    public IPEndPoint EndPoint => _host!.EndPoints[0];

    public static Task<RunningBroker> StartAsync(params (string Key, string Value)[] settings) => StartAsync(null, null, settings);

    public static Task<RunningBroker> StartAsync(IStoreFileSystem? files, params (string Key, string Value)[] settings) =>
        StartAsync(files, null, settings);

    /// <param name="time">The broker's clock; null for the system's.</param>
    /// <param name="prepare">Puts a store of somebody else's into the directory that it is given.</param>
    /// <param name="loggers">Told what the broker logs; null for nobody.</param>
    public static async Task<RunningBroker> StartAsync(
        IStoreFileSystem? files,
        TimeProvider? time,
        (string Key, string Value)[] settings,
        Action<string>? prepare = null,
        ILoggerFactory? loggers = null)
    {
        var broker = new RunningBroker(settings, files, time ?? TimeProvider.System, loggers ?? NullLoggerFactory.Instance);
        prepare?.Invoke(broker.StorePath);
        await File.WriteAllTextAsync(broker.SettingsPath, $"# the test's\nbrokerName = {Name}\nbrokerClusterName={Cluster}\n");
        await broker.StartAsync();
        return broker;
    }

    /// <summary>Connects as clients do, or (endPoint 1) as those of old versions, which use a second port.</summary>
    public Peer Connect(string id, Action<RequestTable>? answers = null, int endPoint = 0)
    {
        var peer = new Peer(_host!.EndPoints[endPoint].ToString(), id, answers);
        _peers.Add(peer);
        return peer;
    }

    /// <summary>The broker's storePathRootDir.</summary>
    public string StorePath => Path.Combine(_root, "store");

    /// <param name="settings">In force from now on, beside those from before.</param>
    public async Task RestartAsync(params (string Key, string Value)[] settings)
    {
        await StopAsync();
        _settings.AddRange(settings);
        await StartAsync();
    }

    /// <summary>Stops the broker and disconnects its peers; to be followed by <see cref="StartAgainAsync"/>.</summary>
    public Task StopAllAsync() => StopAsync();

    /// <param name="settings">In force from now on, beside those from before.</param>
    public Task StartAgainAsync(params (string Key, string Value)[] settings)
    {
        _settings.AddRange(settings);
        return StartAsync();
    }

    /// <summary>Lets the broker begin again from what is on its disk at this moment, as after kill -9.</summary>
    public async Task KillAsync()
    {
        string found = Path.Combine(_root, "found");
        DirectoryCopy.Make(StorePath, found);
        await StopAsync();
        Directory.Delete(StorePath, recursive: true);
        Directory.Move(found, StorePath);
        await StartAsync();
    }

    /// <summary>Has another broker take this one's place on the same store; peers stay as they are.</summary>
    public async Task ReplaceAsync()
    {
        await _host!.HandOverAsync(CancellationToken.None);
        await _host.DisposeAsync();
        await StartAsync();
    }

    /// <summary>Sends a message to a queue of a topic, which is created if need be.</summary>
    public static async Task SendAsync(Peer peer, string topic, int queueId, string body)
    {
        var header = new SendMessageHeader
        {
            ProducerGroup = "P"u8.ToArray(),
            Topic = Encoding.UTF8.GetBytes(topic),
            DefaultTopic = "TBW102"u8.ToArray(),
            DefaultTopicQueueNums = 2,
            QueueId = queueId,
            BornTimestampMs = 1,
        };
        RemotingCommand reply = await peer.AskAsync(RequestCode.SendMessageV2, header, Encoding.UTF8.GetBytes(body));
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
    }

    /// <summary>Pulls what is there, with a subscription to everything in the request.</summary>
    public static Task<RemotingCommand> PullAsync(Peer peer, string group, string topic, int queueId, long offset) =>
        peer.AskAsync(RequestCode.PullMessage, new PullMessageHeader
        {
            ConsumerGroup = Encoding.UTF8.GetBytes(group),
            Topic = Encoding.UTF8.GetBytes(topic),
            QueueId = queueId,
            QueueOffset = offset,
            MaxMessages = 32,
            SysFlag = PullSysFlag.Subscription,
            Subscription = "*"u8.ToArray(),
        });

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_root, recursive: true);
    }

    private async Task StartAsync()
    {
        var sources = new SettingsSources().File(SettingsPath)
            .Set("brokerIP1=127.0.0.1")

            // The port of a broker on the default listenPort, of which there are many here.
            .Set("grpcPort=0")
            .Set($"storePathRootDir={StorePath}")
            .Set("mappedFileSizeCommitLog=1048576")
            .Set("rehearsalMs=0")
            .Set("flushDiskType=ASYNC_FLUSH");
        foreach ((string key, string value) in _settings)
        {
            sources.Set($"{key}={value}");
        }

        _host = new BrokerHost(
            BrokerSettings.Catalogue.Load(sources).GetOrThrow(),
            _time,
            _loggers,
            new FreePortTransport(),
            _files);
        await _host.StartAsync(CancellationToken.None);
    }

    /// <summary>Ends the broker as a signal would, while its peers are there.</summary>
    public async Task StopServingAsync()
    {
        await _host!.StopAsync(CancellationToken.None);
        await _host.DisposeAsync();
        _host = null;
    }

    private async Task StopAsync()
    {
        foreach (Peer peer in _peers)
        {
            await peer.DisposeAsync();
        }

        _peers.Clear();
        if (_host is not null)
        {
            await StopServingAsync();
        }
    }

    /// <summary>Binds a free loopback port of the family that is asked for, so that tests may run side by side.</summary>
    private sealed class FreePortTransport : IConnectionListenerFactory
    {
        private readonly IConnectionListenerFactory _sockets =
            SocketTransport.Create(TimeProvider.System, NullLoggerFactory.Instance);

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
            _sockets.BindAsync(
                new IPEndPoint(
                    ((IPEndPoint)endpoint).AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback,
                    0),
                cancellationToken);
    }
}
