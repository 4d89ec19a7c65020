using GrayMQ.Protocol.Bodies;
using GrayMQ.Testing;

namespace GrayMQ.Chaos.Clusters;

/// <summary>A broker of a cluster under test, which can leave, be stopped, started again and replaced in place.</summary>
internal sealed class BrokerNode : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(10) };

    private readonly ClusterOptions _options;
    private readonly string[] _settings;
    private readonly string? _log;
    private readonly List<InheritedSocket> _sockets = [];
    private ServerProcess? _process;

    public BrokerNode(ClusterOptions options, string name, string folder, string nameServers)
    {
        _options = options;
        Name = name;
        _log = options.Folder is null ? null : Path.Combine(folder, $"{name}.log");
        Port = FreePorts.TakeForBroker();
        HttpPort = FreePorts.TakeForBroker();
        GrpcPort = FreePorts.TakeForBroker();
        if (options.KeepsSockets)
        {
            _sockets.AddRange([new InheritedSocket(Port), new InheritedSocket(Port - 2), new InheritedSocket(GrpcPort)]);
        }

        string[] own =
        [
            $"namesrvAddr={nameServers}", $"brokerName={name}", "bindAddress=127.0.0.1", $"brokerIP1={options.Host}", $"listenPort={Port}",
            $"httpPort={HttpPort}", $"grpcPort={GrpcPort}", $"storePathRootDir={Path.Combine(folder, name)}",
            $"mappedFileSizeCommitLog={options.CommitLogFileBytes}",
        ];
        _settings = [.. own.Concat(options.BrokerSettings).SelectMany(setting => (string[])["--set", setting])];
    }

    public string Name { get; }

    public int Port { get; }

    public int HttpPort { get; }

    public int GrpcPort { get; }

    /// <summary>Where clients find it.</summary>
    public string Address => $"{_options.Host}:{Port}";

    /// <summary>Where gRPC clients find it.</summary>
    public string GrpcAddress => $"{_options.Host}:{GrpcPort}";

    /// <summary>Starts it, and waits until it is ready.</summary>
    public Task StartAsync(CancellationToken cancel) => StartAsync([], cancel);

    /// <summary>Starts it with settings beside its own, as <c>key=value</c>, and waits until it is ready.</summary>
    public Task StartWithAsync(IReadOnlyList<string> settings, CancellationToken cancel) =>
        StartAsync([.. settings.SelectMany(setting => (string[])["--set", setting])], cancel);

    /// <summary>Has another process take the broker's place, and waits until that is ready and the old one has ended.</summary>
    public async Task ReplaceAsync(CancellationToken cancel)
    {
        ServerProcess before = _process!;
        await StartAsync(["--take-over", before.Id], cancel);
        await before.WaitForExitAsync(cancel);
        await before.DisposeAsync();
    }

    /// <summary>Has it leave, and waits until it has.</summary>
    /// <param name="mode">restart or scaleIn.</param>
    public async Task DrainAsync(string mode, CancellationToken cancel)
    {
        using HttpResponseMessage answer = await Http.PostAsync(new Uri($"http://127.0.0.1:{HttpPort}/lifecycle/drain?mode={mode}"), null, cancel);
        answer.EnsureSuccessStatusCode();
        await UntilAsync(report => report.State == "drained", "has left", cancel);
    }

    /// <summary>Waits until it takes its whole share of the messages.</summary>
    public Task UntilWarmAsync(CancellationToken cancel) => UntilAsync(report => report is { Ready: true, WriteShare: >= 1 }, "is warm", cancel);

    /// <summary>As <see cref="UntilWarmAsync"/>, for as long as a limit; one that nobody sends to for long is not waited for.</summary>
    public Task UntilWarmOrIdleAsync(TimeSpan limit, CancellationToken cancel) => _process!.UntilAsync(
        async () => await ShowAsync(cancel) is { Ready: true } report && (report.WriteShare >= 1 || report.Warmup == "idle"),
        $"{Name} is warm",
        limit,
        cancel);

    /// <summary>Waits until it says something of itself.</summary>
    public Task UntilAsync(Func<LifecycleReport, bool> condition, string what, CancellationToken cancel) => _process!.UntilAsync(
        async () => await ShowAsync(cancel) is { } report && condition(report), $"{Name} {what}", Limit, cancel);

    /// <summary>What it says of itself; null when it does not answer.</summary>
    public async Task<LifecycleReport?> ShowAsync(CancellationToken cancel)
    {
        try
        {
            byte[] body = await Http.GetByteArrayAsync(new Uri($"http://127.0.0.1:{HttpPort}/lifecycle"), cancel);
            return BodyCodec.Decode<LifecycleReport>(body);
        }
        catch (Exception e) when (e is HttpRequestException or (TaskCanceledException and { InnerException: TimeoutException }))
        {
            return null;
        }
    }

    /// <summary>Sends its process a signal (TERM leaves first, INT stops at once), and waits until it has ended.</summary>
    public async Task StopAsync(string signal, CancellationToken cancel)
    {
        _process!.Signal(signal);
        await _process.WaitForExitAsync(cancel);
        await _process.DisposeAsync();
        _process = null;
    }

    /// <summary>kill -9; it can be started again.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            await process.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _sockets.ForEach(socket => socket.Dispose());
    }

    private async Task StartAsync(string[] more, CancellationToken cancel)
    {
        _process = new ServerProcess(_options.Command, ["broker", .. _settings, .. more], _log, more.Length == 0 ? _sockets : []);
        await UntilAsync(report => report.Ready, "is ready", cancel);
    }
}
