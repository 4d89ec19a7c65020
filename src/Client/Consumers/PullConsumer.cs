using System.Runtime.CompilerServices;
using GrayMQ.Client.Consumers.Memberships;
using GrayMQ.Client.Consumers.Offsets;
using GrayMQ.Client.Consumers.Prefetching;
using GrayMQ.Client.Consumers.Pulling;
using GrayMQ.Client.Consumers.Rebalance;
using GrayMQ.Client.Consumers.Requests;
using GrayMQ.Client.Consumers.Subscriptions;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Client.Telemetry;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Consumers;

/// <summary>
/// Lets an application fetch messages when it wants them. It either subscribes to topics, whose queues are then shared out among the
/// consumers of its group, or is assigned queues of the application's choice. Messages are fetched ahead of the polls.
/// </summary>
/// <remarks>Polling, seeking and committing are safe to call from several threads, but one thread is to poll at a time.</remarks>
public sealed class PullConsumer : IAsyncDisposable
{
    private readonly PullConsumerOptions _options;
    private readonly GroupMembership _membership;
    private readonly IOffsetStore _offsets;
    private readonly QueueOffsets _queueOffsets;
    private readonly PrefetchAssignments _assignments;
    private readonly Rebalancer _rebalancer;
    private readonly PeriodicWork _commits;
    private readonly ReceiveTelemetry _telemetry;
    private readonly SemaphoreSlim _polling = new(1);
    private IReadOnlyList<MessageQueue>? _assigned;

    /// <param name="options">Read here: changes made afterwards have no effect.</param>
    /// <param name="loggers">Where to log; null logs nothing.</param>
    /// <param name="time">Where the time comes from; null takes the system's clock.</param>
    /// <exception cref="ArgumentException">A setting is wrong; the message says which.</exception>
    public PullConsumer(PullConsumerOptions options, ILoggerFactory? loggers = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = (PullConsumerOptions)options.Copy();
        loggers ??= NullLoggerFactory.Instance;
        time ??= TimeProvider.System;
        ILogger logger = loggers.CreateLogger<PullConsumer>();
        _membership = new GroupMembership(
            new MemberDescription(_options.Group, ConsumeType.Actively, _options.MessageModel, _options.ConsumeFrom),
            _options,
            ConsumerIdentity.Create(_options),
            logger,
            loggers,
            time);
        ClientSession session = _membership.Session;
        _offsets = OffsetStores.Create(_options, session, logger);
        _queueOffsets = new QueueOffsets(session);
        _assignments = new PrefetchAssignments(
            new PullCaller(
                session, new PullSettings(_options.Group, _options.PullBatchSize, _options.PullMaxBytes, IsLite: true)),
            _membership.Subscriptions,
            _offsets,
            StartOffset.Create(_options, _offsets, _queueOffsets, time),
            _options,
            time,
            logger);
        _rebalancer = new Rebalancer(
            session, _membership.Subscriptions, _assignments, _membership.Heartbeats, _options, logger);
        _membership.SubscriptionsChanged += _rebalancer.Wake;
        _telemetry = new ReceiveTelemetry(_options.Group, time);
        _commits = new PeriodicWork(_options.OffsetCommitInterval, time, _assignments.CommitQuietlyAsync);
        _membership.Serve(new Inside(this));
    }

    /// <summary>Changes whether this consumer takes part in gray releases, and whether it is gray; brokers are told at once.</summary>
    public void SetGray(bool graySwitch, bool grayFlag) => _membership.Session.Gray.Set(graySwitch, grayFlag);

    /// <summary>The id that brokers know this consumer by.</summary>
    public string ClientId => _membership.Session.ClientId;

    /// <summary>The queues that are this consumer's now.</summary>
    public IReadOnlyCollection<MessageQueue> Queues => _assignments.Queues;

    /// <summary>Consumes this consumer's share of a topic's queues.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="tags"><c>TagA || TagB</c>, or <c>*</c> for all messages.</param>
    /// <exception cref="ArgumentException">The topic's name or the expression is wrong.</exception>
    /// <exception cref="InvalidOperationException">Queues have been assigned.</exception>
    public void Subscribe(string topic, string tags = SubscriptionData.SubscribeAll) =>
        Subscribe(topic, MessageSelector.ByTag(tags));

    /// <inheritdoc cref="Subscribe(string, string)"/>
    public void Subscribe(string topic, MessageSelector selector)
    {
        if (_assigned is not null)
        {
            throw new InvalidOperationException("queues have been assigned: a consumer either is assigned queues or subscribes");
        }

        _membership.Subscribe(topic, selector);
    }

    /// <summary>Consumes no further messages of a topic.</summary>
    public void Unsubscribe(string topic) => _membership.Unsubscribe(topic);

    /// <summary>
    /// Consumes these queues and no others, whoever else there is. The group's offsets are used and committed all the same.
    /// </summary>
    /// <exception cref="InvalidOperationException">The consumer has subscribed to a topic.</exception>
    public async Task AssignAsync(
        IEnumerable<MessageQueue> queues, MessageSelector? selector = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(queues);
        if (_assigned is null && _membership.Subscriptions.Topics.Any())
        {
            throw new InvalidOperationException("this consumer has subscribed: a consumer either is assigned queues or subscribes");
        }

        MessageQueue[] assigned = [.. queues.Distinct()];
        foreach (MessageQueue queue in assigned)
        {
            NameRules.RequireTopic(queue.Topic);
        }

        foreach (string topic in _membership.Subscriptions.Topics.Except(assigned.Select(queue => queue.Topic)))
        {
            _membership.Subscriptions.Remove(topic);
        }

        foreach (string topic in assigned.Select(queue => queue.Topic).Distinct())
        {
            _membership.Subscriptions.Set(topic, selector ?? MessageSelector.All);
        }

        _assigned = assigned;
        if (_membership.Lifecycle.IsRunning)
        {
            await ApplyAssignedAsync(cancel).ConfigureAwait(false);
        }
    }

    /// <summary>The topic's readable queues, sorted, for instance to be assigned.</summary>
    /// <exception cref="RouteNotFoundException">The topic does not exist.</exception>
    public async Task<IReadOnlyList<MessageQueue>> GetQueuesAsync(string topic, CancellationToken cancel = default)
    {
        NameRules.RequireTopic(topic);
        TopicRoute route = await _membership.Session.Routes.RefreshAsync(topic, cancel).ConfigureAwait(false)
            ?? throw new RouteNotFoundException($"topic {topic} does not exist");
        return route.ReadableQueues;
    }

    /// <summary>Begins to fetch.</summary>
    /// <exception cref="InvalidOperationException">It has been started or stopped before.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        _membership.Lifecycle.Start();
        await _membership.JoinAsync(cancel).ConfigureAwait(false);
        if (_options.AutoCommit)
        {
            _commits.Start();
        }

        if (_assigned is null)
        {
            _rebalancer.Start();
        }
        else
        {
            await ApplyAssignedAsync(cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Messages of any of the queues; waits until there is one, or the token is cancelled.</summary>
    /// <inheritdoc cref="PollAsync(TimeSpan, CancellationToken)"/>
    public Task<IReadOnlyList<ReceivedMessage>> PollAsync(CancellationToken cancel = default) =>
        PollAsync(TimeSpan.MaxValue, cancel);

    /// <summary>
    /// Messages of any of the queues, those of one queue in their order. What the poll before returned counts as handled from now on, and
    /// will be committed if <see cref="PullConsumerOptions.AutoCommit"/> is set.
    /// </summary>
    /// <param name="timeout">How long to wait for a first message.</param>
    /// <param name="cancel">Gives up waiting; no message is lost by that.</param>
    /// <returns>At most <see cref="PullConsumerOptions.PollBatchSize"/> messages; none when the time is over.</returns>
    public async Task<IReadOnlyList<ReceivedMessage>> PollAsync(TimeSpan timeout, CancellationToken cancel = default)
    {
        if (!_membership.Lifecycle.IsRunning)
        {
            throw new InvalidOperationException("the consumer has not been started, or has been stopped");
        }

        await _polling.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            _assignments.MarkHandled();
            long started = _membership.Session.Time.GetTimestamp();
            Task<IReadOnlyList<ReceivedMessage>> taking = _assignments.TakeAsync(timeout, cancel);
            return ReceiveTelemetry.IsOn
                ? await _telemetry.RecordAsync(started, taking, static message => message).ConfigureAwait(false)
                : await taking.ConfigureAwait(false);
        }
        finally
        {
            _polling.Release();
        }
    }

    /// <summary>Polls again and again, until the token is cancelled.</summary>
    public async IAsyncEnumerable<ReceivedMessage> ReadAllAsync([EnumeratorCancellation] CancellationToken cancel = default)
    {
        while (true)
        {
            foreach (ReceivedMessage message in await PollAsync(cancel).ConfigureAwait(false))
            {
                yield return message;
            }
        }
    }

    /// <summary>Counts everything that was polled as handled, and commits it.</summary>
    /// <exception cref="BrokerException">A broker refused.</exception>
    /// <exception cref="IOException">A broker cannot be reached, or the offset file not be written.</exception>
    /// <exception cref="TimeoutException">A broker did not answer.</exception>
    public Task CommitAsync(CancellationToken cancel = default)
    {
        _assignments.MarkHandled();
        return _assignments.CommitAsync(cancel);
    }

    /// <summary>Commits certain offsets: of each queue, that of the first message that is not handled.</summary>
    /// <inheritdoc cref="CommitAsync(CancellationToken)"/>
    public Task CommitAsync(IReadOnlyDictionary<MessageQueue, long> offsets, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(offsets);
        foreach ((MessageQueue queue, long offset) in offsets)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(offset, nameof(offsets));
            _offsets.Reset(queue, offset);
        }

        return _offsets.PersistAsync([.. offsets.Keys], cancel);
    }

    /// <summary>What the group has committed of a queue; null when it has nothing.</summary>
    public Task<long?> GetCommittedAsync(MessageQueue queue, CancellationToken cancel = default) =>
        _offsets.ReadAsync(queue, cancel);

    /// <summary>Goes on with another offset of a queue.</summary>
    /// <exception cref="ArgumentException">The queue is not this consumer's.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The queue does not have the offset.</exception>
    public async Task SeekAsync(MessageQueue queue, long offset, CancellationToken cancel = default)
    {
        PrefetchedQueue prefetched = Require(queue);
        long min = await _queueOffsets.MinAsync(queue, cancel).ConfigureAwait(false);
        long max = await _queueOffsets.MaxAsync(queue, cancel).ConfigureAwait(false);
        ArgumentOutOfRangeException.ThrowIfLessThan(offset, min);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, max);
        _assignments.Seek(prefetched, offset);
    }

    /// <summary>Goes on with the first message that a queue still has.</summary>
    /// <exception cref="ArgumentException">The queue is not this consumer's.</exception>
    public async Task SeekToBeginAsync(MessageQueue queue, CancellationToken cancel = default) => _assignments.Seek(
        Require(queue), await _queueOffsets.MinAsync(queue, cancel).ConfigureAwait(false));

    /// <summary>Goes on with the messages that come to a queue from now on.</summary>
    /// <exception cref="ArgumentException">The queue is not this consumer's.</exception>
    public async Task SeekToEndAsync(MessageQueue queue, CancellationToken cancel = default) => _assignments.Seek(
        Require(queue), await _queueOffsets.MaxAsync(queue, cancel).ConfigureAwait(false));

    /// <summary>The offset of a queue's first message that was stored at a time or later.</summary>
    public Task<long> FindOffsetAsync(MessageQueue queue, DateTimeOffset time, CancellationToken cancel = default) =>
        _queueOffsets.SearchAsync(queue, time, cancel);

    /// <summary>Has nothing of these queues polled until they are resumed; what was fetched of them is kept.</summary>
    public void Pause(params IEnumerable<MessageQueue> queues) => SetPaused(queues, paused: true);

    /// <summary>Ends a pause.</summary>
    public void Resume(params IEnumerable<MessageQueue> queues)
    {
        SetPaused(queues, paused: false);
        _assignments.WakePolls();
    }

    /// <summary>
    /// Fetches nothing more, commits what is handled if <see cref="PullConsumerOptions.AutoCommit"/> is set, leaves the group and
    /// closes the connections. The messages of the last poll count as handled only if it was followed by another poll or a commit.
    /// </summary>
    public Task StopAsync() => _membership.Lifecycle.StopAsync(async () =>
    {
        await _rebalancer.DisposeAsync().ConfigureAwait(false);
        await _assignments.StopAsync().ConfigureAwait(false);
        await _commits.DisposeAsync().ConfigureAwait(false);
        if (_options.AutoCommit)
        {
            await _assignments.CommitQuietlyAsync(CancellationToken.None).ConfigureAwait(false);
        }

        await _membership.LeaveAsync().ConfigureAwait(false);
        await _membership.CloseAsync().ConfigureAwait(false);
    });

    /// <summary>Stops, if that has not been done.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _assignments.Dispose();
        _polling.Dispose();
        (_offsets as IDisposable)?.Dispose();
    }

    private PrefetchedQueue Require(MessageQueue queue) =>
        _assignments.Find(queue) ?? throw new ArgumentException($"{queue} is not this consumer's", nameof(queue));

    private void SetPaused(IEnumerable<MessageQueue> queues, bool paused)
    {
        ArgumentNullException.ThrowIfNull(queues);
        foreach (MessageQueue queue in queues)
        {
            Require(queue).Pause(paused);
        }
    }

    private async Task ApplyAssignedAsync(CancellationToken cancel)
    {
        IReadOnlyList<MessageQueue> assigned = _assigned ?? [];
        await _assignments.RetainTopicsAsync([.. assigned.Select(queue => queue.Topic)], cancel).ConfigureAwait(false);
        foreach (IGrouping<string, MessageQueue> topic in assigned.GroupBy(queue => queue.Topic))
        {
            AssignmentOutcome outcome =
                await _assignments.AssignAsync(topic.Key, [.. topic], cancel).ConfigureAwait(false);
            if (!outcome.IsComplete)
            {
                throw new GrayMQException($"not all of the queues of topic {topic.Key} could be taken over: see the log");
            }
        }
    }

    // What brokers see of the consumer.
    private sealed class Inside(PullConsumer consumer) : IConsumerInside
    {
        public string Group => consumer._options.Group;

        public void OnMembersChanged() => consumer._rebalancer.Wake();

        public Task ResetOffsetsAsync(string topic, IReadOnlyDictionary<MessageQueue, long> offsets)
        {
            foreach ((MessageQueue queue, long offset) in offsets)
            {
                if (queue.Topic == topic && consumer._assignments.Find(queue) is { } prefetched)
                {
                    consumer._assignments.Seek(prefetched, offset);
                }
            }

            return consumer._assignments.CommitAsync(CancellationToken.None);
        }

        public Dictionary<MessageQueue, long> DescribeOffsets(string topic) => consumer.Queues
            .Where(queue => queue.Topic == topic)
            .ToDictionary(queue => queue, queue => consumer._assignments.Find(queue)?.HandledTo ?? -1);

        public ConsumerRunningInfo Describe() => new()
        {
            Properties = ConsumerIdentity.Describe(consumer._options, "CONSUME_ACTIVELY"),
            SubscriptionSet = [.. consumer._membership.Subscriptions.All],
        };

        public Task<ConsumeMessageDirectlyResult?> ConsumeDirectlyAsync(ReceivedMessage message, string brokerName) =>
            Task.FromResult<ConsumeMessageDirectlyResult?>(null);
    }
}
