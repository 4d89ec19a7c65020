using System.Collections.Concurrent;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Sessions;

/// <summary>
/// Tells every broker of the routes in use that this client is alive and what it is: at an interval, when a broker appears that does
/// not know it yet, and when what there is to tell has changed.
/// </summary>
internal sealed class Heartbeats : IAsyncDisposable
{
    private readonly ClientSession _session;
    private readonly Func<HeartbeatData> _compose;
    private readonly bool _mastersOnly;
    private readonly TimeSpan _interval;
    private readonly ILogger _logger;
    private readonly Pulse _pulse;
    private readonly CancellationTokenSource _stopping = new();

    // Every address that a heartbeat was sent to, and whether the last one was answered.
    private readonly ConcurrentDictionary<string, bool> _told = new(StringComparer.Ordinal);
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
        _logger = logger;
        _pulse = new Pulse(session.Time);
    }

    public void Start()
    {
        _session.Routes.Changed += OnRouteChanged;
        _session.Gray.Changed += Wake;
        _loop = RunAsync();
    }

    /// <summary>Has all brokers told soon.</summary>
    public void Wake() => _pulse.Wake();

    /// <summary>Tells all brokers now; one that cannot be told is logged and told next time.</summary>
    public async Task SendAsync(CancellationToken cancel)
    {
        byte[] body = BodyCodec.Encode(_compose());
        IReadOnlyCollection<string> addresses = _session.Routes.BrokerAddresses(_mastersOnly);
        await Task.WhenAll(addresses.Select(address => SendAsync(address, body, cancel))).ConfigureAwait(false);
    }

    /// <summary>Tells all brokers now if there is one that does not know this client yet.</summary>
    public Task IntroduceAsync(CancellationToken cancel) =>
        AnyNew() ? SendAsync(cancel) : Task.CompletedTask;

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
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private void OnRouteChanged(string topic)
    {
        if (AnyNew())
        {
            Wake();
        }
    }

    private bool AnyNew() =>
        _session.Routes.BrokerAddresses(_mastersOnly).Any(address => !_told.GetValueOrDefault(address));

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _pulse.WaitAsync(_interval, _stopping.Token).ConfigureAwait(false);
                await SendAsync(_stopping.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task SendAsync(string address, byte[] body, CancellationToken cancel)
    {
        _told.TryAdd(address, false);
        try
        {
            RemotingCommand answer = await _session.Servers
                .CallAsync(address, RequestCode.Heartbeat, default(NoHeader), body, cancel: cancel)
                .ConfigureAwait(false);
            _told[address] = true;
            bool isLeaving = HeartbeatResponseHeader.Read(answer.Fields).Leaving;
            if ((isLeaving || _session.Leaving.Any) && _session.Routes.FindBrokerName(address) is { } broker)
            {
                _session.Leaving.Tell(broker, isLeaving);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancel.IsCancellationRequested)
        {
            _told[address] = false;
            Log.HeartbeatFailed(_logger, address, e.Message);
        }
    }
}
