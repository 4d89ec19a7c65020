using GrayMQ.Client.Consumers.Subscriptions;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Connections;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Consumers.Rebalance;

/// <summary>
/// Finds out again and again which queues are this consumer's: of all queues of a topic and all members of the group, each member
/// computes its own share (RocketMQ: RebalanceImpl).
/// </summary>
internal sealed class Rebalancer : IAsyncDisposable
{
    // After a round that could not take over every queue yet (RocketMQ: RebalanceService.minInterval).
    private static readonly TimeSpan SoonInterval = TimeSpan.FromSeconds(1);

    private readonly ClientSession _session;
    private readonly SubscriptionTable _subscriptions;
    private readonly IQueueOwner _owner;
    private readonly Heartbeats _heartbeats;
    private readonly ConsumerOptions _options;
    private readonly ILogger _logger;
    private readonly Pulse _pulse;
    private readonly Backoff _errors;
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    // Brokers make the retry topic when the group first speaks to them, and tell the name servers then: until all have, what fails at
    // one of them would wait for the next round.
    private bool _retryTopicLags;

    public Rebalancer(
        ClientSession session,
        SubscriptionTable subscriptions,
        IQueueOwner owner,
        Heartbeats heartbeats,
        ConsumerOptions options,
        ILogger logger)
    {
        _session = session;
        _subscriptions = subscriptions;
        _owner = owner;
        _heartbeats = heartbeats;
        _options = options;
        _logger = logger;
        _pulse = new Pulse(session.Time);
        _errors = new Backoff(SoonInterval, options.RebalanceInterval);
    }

    public void Start()
    {
        _session.Routes.Changed += OnRouteChanged;
        _session.GrayState.Changed += Wake;
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Begins a round now, or another one behind that which is under way.</summary>
    public void Wake() => _pulse.Wake();

    public async ValueTask DisposeAsync()
    {
        _session.Routes.Changed -= OnRouteChanged;
        _session.GrayState.Changed -= Wake;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stopping.Dispose();
    }

    private void OnRouteChanged(string topic)
    {
        if (_subscriptions.Find(topic) is not null)
        {
            Wake();
        }
    }

    private async Task RunAsync()
    {
        CancellationToken stopping = _stopping.Token;
        try
        {
            int failures = 0;
            while (true)
            {
                _retryTopicLags = false;
                (bool complete, bool failed) = await RebalanceAsync(stopping).ConfigureAwait(false);
                failures = failed || _retryTopicLags ? failures + 1 : 0;
                TimeSpan pause = failed || (complete && _retryTopicLags)
                    ? _errors.After(failures)
                    : complete ? _options.RebalanceInterval : SoonInterval;
                await _pulse.WaitAsync(pause, stopping).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task<(bool Complete, bool Failed)> RebalanceAsync(CancellationToken cancel)
    {
        bool complete = true;
        bool failed = false;
        bool changed = false;
        foreach (string topic in _subscriptions.Topics)
        {
            try
            {
                AssignmentOutcome outcome = await RebalanceAsync(topic, cancel).ConfigureAwait(false);
                complete &= outcome.IsComplete;
                changed |= outcome.IsChanged;
                if (outcome.IsChanged)
                {
                    _subscriptions.Renew(topic);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.RebalanceFailed(_logger, topic, e.Message);
                failed = true;
            }
        }

        await _owner.RetainTopicsAsync([.. _subscriptions.Topics], cancel).ConfigureAwait(false);
        if (changed)
        {
            await _heartbeats.SendAsync(cancel).ConfigureAwait(false);
        }

        return (complete, failed);
    }

    private async Task<AssignmentOutcome> RebalanceAsync(string topic, CancellationToken cancel)
    {
        TopicRoute? route = await _session.Routes.FindAsync(topic, cancel).ConfigureAwait(false);
        if (NameRules.IsRetryTopic(topic) && LacksBrokers(route))
        {
            route = await _session.Routes.RefreshAsync(topic, cancel).ConfigureAwait(false);
            _retryTopicLags = LacksBrokers(route);
        }

        if (route is null)
        {
            // Retry topics appear when they are needed.
            return new AssignmentOutcome(IsChanged: false, IsComplete: NameRules.IsRetryTopic(topic));
        }

        if (_options.MessageModel == MessageModel.Broadcasting)
        {
            return await _owner.AssignAsync(topic, route.ReadableQueues, cancel).ConfigureAwait(false);
        }

        List<string> clientIds = await FindMembersAsync(route, cancel).ConfigureAwait(false);
        if (!clientIds.Contains(_session.ClientId))
        {
            // The broker does not know this consumer yet, or any more: it has to be told before anything can be shared out.
            Log.NotAMember(_logger, topic, clientIds.Count);
            await _heartbeats.SendAsync(cancel).ConfigureAwait(false);
            return new AssignmentOutcome(IsChanged: false, IsComplete: false);
        }

        clientIds.Sort(StringComparer.Ordinal);
        IReadOnlyList<MessageQueue> allocated = route.ReadableQueues.IsEmpty
            ? []
            : _options.Allocation is AllocateMessageQueueGray
                ? AllocateMessageQueueGray.Allocate(
                    _session.ClientId, route.ReadableQueues, clientIds, _session.GrayState.FindLive(topic))
                : _options.Allocation.Allocate(_options.Group, _session.ClientId, route.ReadableQueues, clientIds);
        AssignmentOutcome outcome =
            await _owner.AssignAsync(topic, [.. allocated.Distinct()], cancel).ConfigureAwait(false);
        if (outcome.IsChanged)
        {
            Log.Rebalanced(_logger, topic, allocated.Count, route.ReadableQueues.Length, clientIds.Count);
        }

        return outcome;
    }

    private bool LacksBrokers(TopicRoute? retryRoute) => _subscriptions.Topics
        .Select(topic => _session.Routes.Peek(topic))
        .OfType<TopicRoute>()
        .SelectMany(route => route.Brokers)
        .Any(broker => broker.Master is not null && retryRoute?.FindBroker(broker.Name) is null);

    // Any broker of the topic knows the members; the masters are asked one after the other, beginning anywhere.
    private async Task<List<string>> FindMembersAsync(TopicRoute route, CancellationToken cancel)
    {
        string[] addresses = [.. route.Brokers.Select(broker => broker.FindReader(BrokerData.MasterId, out _)).OfType<string>()];
        if (addresses.Length == 0)
        {
            throw new RouteNotFoundException($"no broker of topic {route.Topic} is there");
        }

        var header = new GetConsumerListByGroupHeader { ConsumerGroup = _options.Group };
        int first = Random.Shared.Next(addresses.Length);
        for (int i = 0; ; i++)
        {
            string address = addresses[(first + i) % addresses.Length];
            try
            {
                RemotingCommand response = await _session.Servers
                    .InvokeAsync(
                        address, RequestCode.GetConsumerListByGroup, header, default, _session.Servers.Timeout, cancel)
                    .ConfigureAwait(false);

                // A group without members is answered with an error.
                return response.ResponseCode == ResponseCode.Success && !response.Body.IsEmpty
                    ? BodyCodec.Decode<GetConsumerListByGroupResponseBody>(response.Body).ConsumerIdList
                    : [];
            }
            catch (Exception e) when (e is ConnectionClosedException or TimeoutException && i + 1 < addresses.Length)
            {
                Log.MembersUnknown(_logger, address, e.Message);
            }
        }
    }
}
