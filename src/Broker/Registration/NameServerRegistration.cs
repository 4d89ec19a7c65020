using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Threading.Channels;
using GrayMQ.Broker.Lifecycle;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Connections;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Registration;

/// <summary>
/// Keeps every name server informed of this broker and its topics: at the start, at each change of a topic, and now and then, so that
/// a name server that was away learns of it again. Name servers are told independently of each other.
/// </summary>
internal sealed class NameServerRegistration : ITopicAnnouncer, IAsyncDisposable
{
    // Who has made a topic need not wait for a name server that hangs.
    private static readonly TimeSpan MaxAnnouncement = TimeSpan.FromSeconds(3);

    // One that could not be told, or whose connection has ended, is told again so soon: it may have been started anew, and holds its routes
    // back until it knows everybody. While one is away the time doubles: up to a few seconds where connecting is refused, which costs
    // nothing, and up to the period where it hangs, for then others are told later.
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxRetryInterval = TimeSpan.FromSeconds(2);

    private readonly RegistrationOptions _options;
    private readonly TopicTable _topics;
    private readonly RouteView _view;
    private readonly RemotingClient _client;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ITimer _again;
    private TimeSpan _retryInterval = RetryInterval;

    // Those that have to be told again before the period is over; true for one that could not be told.
    private readonly ConcurrentDictionary<string, bool> _untold = new(StringComparer.Ordinal);

    // A registration that is under way must not overtake a withdrawal.
    private readonly SemaphoreSlim _telling = new(1);
    private bool _withdrawn;

    // Changes that come while one registration is under way are told together by the next.
    private int _hasChanged;
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    // How many are changing something that they wake the registration for themselves, once for all of it.
    private int _announcing;
    private Task _registering = Task.CompletedTask;

    // Completes with the registration that is the next to begin.
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public NameServerRegistration(
        RegistrationOptions options,
        TopicTable topics,
        RouteView view,
        RemotingClient client,
        TimeProvider time,
        ILogger<NameServerRegistration> logger)
    {
        _options = options;
        _topics = topics;
        _view = view;
        _client = client;
        _time = time;
        _logger = logger;
        _again = time.CreateTimer(_ => _changes.Writer.TryWrite(true), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        client.ConnectionClosed += OnConnectionClosed;
    }

    /// <summary>Registers once everywhere, then goes on in the background; a name server that is away does not fail this.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        if (_options.NameServers.Count == 0)
        {
            Log.NoNameServer(_logger);
            return;
        }

        _topics.Changed += OnTopicsChanged;
        await RegisterAsync(_options.NameServers, cancel).ConfigureAwait(false);
        _registering = KeepRegisteredAsync(_stopping.Token);
    }

    /// <summary>Tells name servers nothing more, and takes this broker out of the routes.</summary>
    /// <param name="keepRoute">It will be back soon: the routes stay as they are.</param>
    public async Task StopAsync(bool keepRoute, CancellationToken cancel)
    {
        _topics.Changed -= OnTopicsChanged;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _registering.ConfigureAwait(false);
        if (!keepRoute)
        {
            await Task.WhenAll(_options.NameServers.Select(address => UnregisterAsync(address, cancel))).ConfigureAwait(false);
        }
    }

    /// <summary>Takes this broker out of the routes, until <see cref="ComeBackAsync"/>.</summary>
    public async Task WithdrawAsync(CancellationToken cancel)
    {
        await _telling.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            _withdrawn = true;
            await Task.WhenAll(_options.NameServers.Select(address => UnregisterAsync(address, cancel))).ConfigureAwait(false);
        }
        finally
        {
            _telling.Release();
        }
    }

    /// <summary>As <see cref="AnnounceAsync"/>, of a broker that may have withdrawn.</summary>
    public Task ComeBackAsync(Action change)
    {
        Volatile.Write(ref _withdrawn, false);
        return AnnounceAsync(change);
    }

    /// <inheritdoc/>
    public async Task AnnounceAsync(Action change)
    {
        Task told;
        bool isChanged = false;
        Interlocked.Increment(ref _announcing);
        try
        {
            change();
            isChanged = true;
        }
        finally
        {
            Interlocked.Decrement(ref _announcing);
            told = Volatile.Read(ref _next).Task;
            if (isChanged || Volatile.Read(ref _hasChanged) != 0)
            {
                Wake();
            }
        }

        if (_registering.IsCompleted)
        {
            // Not registered yet, or no longer, or nowhere to register.
            return;
        }

        try
        {
            await told.WaitAsync(MaxAnnouncement, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Log.AnnouncementTakesLong(_logger, MaxAnnouncement);
        }
    }

    public ValueTask DisposeAsync()
    {
        _client.ConnectionClosed -= OnConnectionClosed;
        _again.Dispose();
        _stopping.Dispose();
        _telling.Dispose();
        return ValueTask.CompletedTask;
    }

    private void OnTopicsChanged(TopicChange change)
    {
        // Told first: who announces something just now either sees it, or is no longer seen here.
        Interlocked.Exchange(ref _hasChanged, 1);
        if (Volatile.Read(ref _announcing) == 0)
        {
            _changes.Writer.TryWrite(true);
        }
    }

    private void OnConnectionClosed(string address, RemotingConnection connection)
    {
        if (_options.NameServers.Contains(address))
        {
            _untold.TryAdd(address, false);
            TryAgainSoon();
        }
    }

    private void TryAgainSoon()
    {
        if (!_stopping.IsCancellationRequested)
        {
            _again.Change(_retryInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private void Wake()
    {
        Volatile.Write(ref _hasChanged, 1);
        _changes.Writer.TryWrite(true);
    }

    private async Task KeepRegisteredAsync(CancellationToken cancel)
    {
        using ITimer period = _time.CreateTimer(_ => Wake(), null, _options.Period, _options.Period);
        try
        {
            while (await _changes.Reader.WaitToReadAsync(cancel).ConfigureAwait(false))
            {
                // Taken off first: what changes from here on is told again.
                _changes.Reader.TryRead(out _);
                if (Interlocked.Exchange(ref _hasChanged, 0) == 0)
                {
                    await RegisterAsync(_untold.Keys, cancel).ConfigureAwait(false);
                    continue;
                }

                TaskCompletionSource told = Interlocked.Exchange(
                    ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
                try
                {
                    await RegisterAsync(_options.NameServers, cancel).ConfigureAwait(false);
                }
                finally
                {
                    told.SetResult();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
        finally
        {
            _next.TrySetResult();
        }
    }

    private async Task RegisterAsync(IEnumerable<string> nameServers, CancellationToken cancel)
    {
        await _telling.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            if (!Volatile.Read(ref _withdrawn))
            {
                await TellAsync(nameServers, cancel).ConfigureAwait(false);
            }
        }
        finally
        {
            _telling.Release();
        }
    }

    private async Task TellAsync(IEnumerable<string> nameServers, CancellationToken cancel)
    {
        byte[] body = RegisterBrokerBodyCodec.Encode(Describe(), _options.Compress);
        var header = new RegisterBrokerHeader
        {
            BrokerName = _options.BrokerName,
            BrokerAddress = _options.BrokerAddress,
            ClusterName = _options.ClusterName,
            HaServerAddress = _options.HaServerAddress,
            GrpcAddress = _options.GrpcAddress,
            BrokerId = _options.BrokerId,
            HeartbeatTimeoutMs = (long)_options.NotActiveTimeout.TotalMilliseconds,
            EnableActingMaster = false,
            Compressed = _options.Compress,
            BodyCrc32 = (int)Crc32.Compute(body) & int.MaxValue,
        };
        Reach[] reached = await Task.WhenAll(nameServers.Select(address => RegisterAsync(address, header, body, cancel))).ConfigureAwait(false);
        if (_untold.IsEmpty)
        {
            _retryInterval = RetryInterval;
            return;
        }

        TryAgainSoon();
        TimeSpan most = reached.Contains(Reach.Hangs) ? _options.Period : MaxRetryInterval;
        _retryInterval = 2 * _retryInterval < most ? 2 * _retryInterval : most;
    }

    private RegisterBrokerBody Describe()
    {
        // The version is read first: should the view change in between, the next registration has another version.
        (DataVersion version, IReadOnlyList<Topic> topics) = _topics.Snapshot();
        var wrapper = new TopicConfigAndMappingSerializeWrapper { DataVersion = _view.Show(version) };
        // A broker that serves both ways leaves permissions as they are: they hold more than reading and writing.
        int permission = _options.BrokerPermission.Value;
        bool narrows = !TopicPermission.IsReadable(permission) || !TopicPermission.IsWritable(permission);
        foreach (Topic topic in topics)
        {
            TopicConfig config = _view.Show(topic.Config);
            wrapper.TopicConfigTable[topic.Name] = narrows ? config with { Perm = config.Perm & permission } : config;
        }

        return new RegisterBrokerBody { TopicConfigSerializeWrapper = wrapper };
    }

    private async Task<Reach> RegisterAsync(string address, RegisterBrokerHeader header, byte[] body, CancellationToken cancel)
    {
        _untold.TryRemove(address, out bool failedBefore);
        try
        {
            RemotingCommand answer = await _client
                .InvokeAsync(address, RequestCode.RegisterBroker, header, body, _options.Timeout, cancel)
                .ConfigureAwait(false);
            if (answer.ResponseCode == ResponseCode.Success)
            {
                Log.Registered(_logger, address);
                if (!answer.Body.IsEmpty)
                {
                    // Topics that an administrator ordered across brokers (namespace ORDER_TOPIC_CONFIG), whose routes are to say so.
                    _topics.KeepOrder(BodyCodec.Decode<KVTable>(answer.Body).Table.Keys);
                }
            }
            else
            {
                Log.RegistrationRefused(_logger, address, answer.ResponseCode, answer.Remark);
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or BodyFormatException)
        {
            _untold[address] = true;
            if (failedBefore)
            {
                Log.RegistrationStillFails(_logger, address, e.Message);
            }
            else
            {
                Log.RegistrationFailed(_logger, address, e.Message);
            }

            return e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused } ? Reach.Refuses : Reach.Hangs;
        }

        return Reach.Answers;
    }

    private async Task UnregisterAsync(string address, CancellationToken cancel)
    {
        var header = new UnregisterBrokerHeader
        {
            BrokerName = _options.BrokerName,
            BrokerAddress = _options.BrokerAddress,
            ClusterName = _options.ClusterName,
            BrokerId = _options.BrokerId,
        };
        try
        {
            await _client
                .InvokeAsync(address, RequestCode.UnregisterBroker, header, default, _options.Timeout, cancel)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or TimeoutException or OperationCanceledException)
        {
            Log.RegistrationFailed(_logger, address, e.Message);
        }
    }

    /// <summary>How far a name server was from taking a registration.</summary>
    private enum Reach
    {
        /// <summary>It has answered, whatever it said.</summary>
        Answers,

        /// <summary>Nothing listens at its port.</summary>
        Refuses,

        /// <summary>Nothing came back, or its connection ended.</summary>
        Hangs,
    }
}
