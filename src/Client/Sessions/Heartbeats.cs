using System.Collections.Concurrent;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Connections;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Sessions;

/// <summary>
/// Tells every broker of the routes in use that this client is alive and what it is: at an interval, when a broker appears that does
/// not know it yet, when what there is to tell has changed, and over each connection that takes the place of one before. (A stock client
/// leaves that to its interval; but a broker knows its clients by their connections, and until it is told, what it lets one do that it cannot
/// name is little: see the gray release of a group whose versions share an address.)
/// </summary>
internal sealed class Heartbeats : IAsyncDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);

    private readonly ClientSession _session;
    private readonly Func<HeartbeatData> _compose;
    private readonly bool _mastersOnly;
    private readonly TimeSpan _interval;
    private readonly Backoff _retries;
    private readonly ILogger _logger;
    private readonly Pulse _pulse;
    private readonly CancellationTokenSource _stopping = new();

    // Every address that a heartbeat was sent to.
    private readonly ConcurrentDictionary<string, Acquaintance> _told = new(StringComparer.Ordinal);
    private volatile bool _tellsAll;
    private volatile bool _tellsStrangers;

    // How often in a row somebody could not be told.
    private volatile int _failures;
    private Task _loop = Task.CompletedTask;

    /// <param name="compose">What to tell; called for each heartbeat.</param>
    /// <param name="mastersOnly">Whether nobody but masters has to know: right for producers, which send to nobody else.</param>
    public Heartbeats(
        ClientSession session, Func<HeartbeatData> compose, bool mastersOnly, TimeSpan interval, ILogger logger)
    {
        _session = session;
        _compose = compose;
        _mastersOnly = mastersOnly;
        _interval = interval;
        _retries = new Backoff(FirstRetry, interval);
        _logger = logger;
        _pulse = new Pulse(session.Time);
        session.Servers.Connected += OnConnected;
        session.Servers.Disconnected += OnDisconnected;
    }

    // What a broker knows of this client.
    private enum Acquaintance
    {
        None,

        /// <summary>It does not know it, and is being told.</summary>
        Coming,
        Told,

        /// <summary>It knows it, and is being told again.</summary>
        Renewed,
    }

    public void Start()
    {
        _session.Routes.Changed += OnRouteChanged;
        _session.Gray.Changed += Wake;
        _loop = RunAsync();
    }

    /// <summary>Has all brokers told soon.</summary>
    public void Wake()
    {
        _tellsAll = true;
        _pulse.Wake();
    }

    /// <summary>Tells all brokers now; one that cannot be told is logged and told next time.</summary>
    public async Task SendAsync(CancellationToken cancel)
    {
        await SendAsync(_session.Routes.BrokerAddresses(_mastersOnly), cancel).ConfigureAwait(false);
        if (_failures > 0)
        {
            // The loop has to sleep less.
            _pulse.Wake();
        }
    }

    /// <summary>Tells all brokers now if there is one that does not know this client yet.</summary>
    public Task IntroduceAsync(CancellationToken cancel) =>
        Strangers().Any() ? SendAsync(cancel) : Task.CompletedTask;

    /// <summary>Tells all brokers that may know it that the client leaves its group, as far as they can be reached.</summary>
    public async Task UnregisterAsync(string? producerGroup, string? consumerGroup, CancellationToken cancel)
    {
        var header = new UnregisterClientHeader
        {
            ClientId = _session.ClientId,
            ProducerGroup = producerGroup,
            ConsumerGroup = consumerGroup,
        };
        await Task.WhenAll(_told.Keys.Select(async address =>
        {
            try
            {
                await _session.Servers.CallAsync(address, RequestCode.UnregisterClient, header, cancel: cancel)
                    .ConfigureAwait(false);
            }
            catch (Exception e)
            {
                Log.UnregisterFailed(_logger, address, e.Message);
            }
        })).ConfigureAwait(false);
    }

    /// <summary>Stops the loop; what was told stays told.</summary>
    public async ValueTask DisposeAsync()
    {
        _session.Routes.Changed -= OnRouteChanged;
        _session.Gray.Changed -= Wake;
        _session.Servers.Connected -= OnConnected;
        _session.Servers.Disconnected -= OnDisconnected;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private void OnRouteChanged(string topic)
    {
        if (Strangers().Any())
        {
            WakeForStrangers();
        }
    }

    private void WakeForStrangers()
    {
        _tellsStrangers = true;
        _pulse.Wake();
    }

    // Where a heartbeat is on its way, it is what the connection was made for. Else whoever was told there was told by a connection before.
    private void OnConnected(string address)
    {
        if (_told.TryGetValue(address, out Acquaintance known) && known is Acquaintance.None or Acquaintance.Told)
        {
            _told.TryUpdate(address, Acquaintance.None, known);
            WakeForStrangers();
        }
    }

    private void OnDisconnected(string address, RemotingConnection connection)
    {
        if (_told.ContainsKey(address))
        {
            _told[address] = Acquaintance.None;
        }
    }

    private IEnumerable<string> Strangers() =>
        _session.Routes.BrokerAddresses(_mastersOnly)
            .Where(address => _told.GetValueOrDefault(address) is Acquaintance.None or Acquaintance.Coming);

    private async Task RunAsync()
    {
        CancellationToken stopping = _stopping.Token;
        long told = _session.Time.GetTimestamp();
        long toldAll = told;
        try
        {
            while (true)
            {
                TimeSpan untilAll = Left(toldAll, _interval);
                TimeSpan untilStrangers = _failures > 0 ? Left(told, _retries.After(_failures)) : untilAll;
                await _pulse.WaitAsync(untilStrangers < untilAll ? untilStrangers : untilAll, stopping).ConfigureAwait(false);
                if (_tellsAll || Left(toldAll, _interval) == TimeSpan.Zero)
                {
                    _tellsAll = false;
                    _tellsStrangers = false;
                    told = toldAll = _session.Time.GetTimestamp();
                    await SendAsync(_session.Routes.BrokerAddresses(_mastersOnly), stopping).ConfigureAwait(false);
                }
                else if (_tellsStrangers || (_failures > 0 && Left(told, _retries.After(_failures)) == TimeSpan.Zero))
                {
                    _tellsStrangers = false;
                    told = _session.Time.GetTimestamp();
                    await SendAsync([.. Strangers()], stopping).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private TimeSpan Left(long since, TimeSpan pause)
    {
        TimeSpan left = pause - _session.Time.GetElapsedTime(since);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private async Task SendAsync(IReadOnlyCollection<string> addresses, CancellationToken cancel)
    {
        byte[] body = BodyCodec.Encode(_compose());
        await Task.WhenAll(addresses.Select(address => SendAsync(address, body, cancel))).ConfigureAwait(false);
        _failures = Strangers().Any() ? _failures + 1 : 0;
    }

    private async Task SendAsync(string address, byte[] body, CancellationToken cancel)
    {
        _told.AddOrUpdate(
            address,
            Acquaintance.Coming,
            static (_, known) => known is Acquaintance.Told or Acquaintance.Renewed ? Acquaintance.Renewed : Acquaintance.Coming);
        try
        {
            RemotingCommand answer = await _session.Servers
                .CallAsync(address, RequestCode.Heartbeat, default(NoHeader), body, cancel: cancel)
                .ConfigureAwait(false);

            // Not where the connection has ended meanwhile.
            if (!_told.TryUpdate(address, Acquaintance.Told, Acquaintance.Coming))
            {
                _told.TryUpdate(address, Acquaintance.Told, Acquaintance.Renewed);
            }

            bool isLeaving = HeartbeatResponseHeader.Read(answer.Fields).Leaving;
            if ((isLeaving || _session.Leaving.Any) && _session.Routes.FindBrokerName(address) is { } broker)
            {
                _session.Leaving.Tell(broker, isLeaving);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancel.IsCancellationRequested)
        {
            _told[address] = Acquaintance.None;
            Log.HeartbeatFailed(_logger, address, e.Message);
        }
    }
}
