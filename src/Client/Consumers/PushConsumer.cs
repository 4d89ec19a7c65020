using System.Globalization;
using GrayMQ.Client.Consumers.Dispatch;
using GrayMQ.Client.Consumers.Locks;
using GrayMQ.Client.Consumers.Memberships;
using GrayMQ.Client.Consumers.Offsets;
using GrayMQ.Client.Consumers.Pulling;
using GrayMQ.Client.Consumers.Rebalance;
using GrayMQ.Client.Consumers.Requests;
using GrayMQ.Client.Consumers.Subscriptions;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Consumers;

/// <summary>
/// Hands the messages of its topics to a handler. The consumers of a group share the queues of their topics out among themselves; each
/// message is handled at least once. <see cref="StopAsync"/> lets handlers end, commits, and gives the queues to the others.
/// </summary>
public sealed class PushConsumer : IAsyncDisposable
{
    private readonly PushConsumerOptions _options;
    private readonly GroupMembership _membership;
    private readonly Rebalancer _rebalancer;
    private readonly QueueAssignments _assignments;
    private readonly IMessageDispatcher _dispatcher;
    private readonly IOffsetStore _offsets;
    private readonly IBatchMessageHandler _handler;
    private readonly ConsumeStatistics _statistics;
    private readonly PeriodicWork _commits;
    private readonly PeriodicWork _lockRenewals;
    private readonly DateTimeOffset _made;

    /// <param name="options">Read here: changes made afterwards have no effect.</param>
    /// <param name="handler">What is done with each message.</param>
    /// <param name="loggers">Where to log; null logs nothing.</param>
    /// <param name="time">Where the time comes from; null takes the system's clock.</param>
    /// <exception cref="ArgumentException">A setting is wrong; the message says which.</exception>
    public PushConsumer(
        PushConsumerOptions options, IMessageHandler handler, ILoggerFactory? loggers = null, TimeProvider? time = null)
        : this(options, Require(handler).HandleAsync, loggers, time)
    {
    }

    /// <inheritdoc cref="PushConsumer(PushConsumerOptions, IMessageHandler, ILoggerFactory?, TimeProvider?)"/>
    public PushConsumer(
        PushConsumerOptions options,
        Func<ReceivedMessage, CancellationToken, ValueTask<ConsumeResult>> handler,
        ILoggerFactory? loggers = null,
        TimeProvider? time = null)
        : this(options, DelegateHandler.OneByOne(Require(handler)), loggers, time)
    {
    }

    /// <inheritdoc cref="PushConsumer(PushConsumerOptions, IMessageHandler, ILoggerFactory?, TimeProvider?)"/>
    public PushConsumer(
        PushConsumerOptions options, IBatchMessageHandler handler, ILoggerFactory? loggers = null, TimeProvider? time = null)
    {
        Require(options).Validate();
        _handler = Require(handler);
        _options = (PushConsumerOptions)options.Copy();
        loggers ??= NullLoggerFactory.Instance;
        time ??= TimeProvider.System;
        ILogger logger = loggers.CreateLogger<PushConsumer>();
        _made = time.GetUtcNow();
        bool isBroadcasting = _options.MessageModel == MessageModel.Broadcasting;
        _membership = new GroupMembership(
            new MemberDescription(_options.Group, ConsumeType.Passively, _options.MessageModel, _options.ConsumeFrom),
            _options,
            ConsumerIdentity.Create(_options),
            logger,
            loggers,
            time);
        foreach ((string topic, string expression) in _options.Subscriptions)
        {
            Subscribe(topic, expression);
        }

        ClientSession session = _membership.Session;
        _statistics = new ConsumeStatistics(time);
        _offsets = OffsetStores.Create(_options, session, logger);
        QueueLocks? locks =
            _options.Orderly && !isBroadcasting ? new QueueLocks(session, _options.Group, logger) : null;
        _dispatcher = CreateDispatcher(locks, isBroadcasting, time, logger);
        _assignments = new QueueAssignments(
            new PullLoop(
                new PullCaller(
                    session,
                    new PullSettings(_options.Group, _options.PullBatchSize, _options.PullMaxBytes, IsLite: false)),
                _membership.Subscriptions,
                _offsets,
                _dispatcher,
                _statistics,
                _membership.Heartbeats,
                _options,
                time,
                logger),
            _dispatcher,
            _offsets,
            StartOffset.Create(_options, _offsets, new QueueOffsets(session), time),
            locks,
            time,
            logger);
        _rebalancer = new Rebalancer(
            session, _membership.Subscriptions, _assignments, _membership.Heartbeats, _options, logger);
        _membership.SubscriptionsChanged += _rebalancer.Wake;
        _assignments.Released += _rebalancer.Wake;
        _commits = new PeriodicWork(_options.OffsetCommitInterval, time, _assignments.CommitAsync);
        _lockRenewals = new PeriodicWork(QueueLocks.RenewInterval, time, _assignments.RenewLocksAsync);
        _membership.Serve(new Inside(this));
    }

    /// <summary>Changes whether this consumer takes part in gray releases, and whether it is gray; brokers are told at once.</summary>
    public void SetGray(bool graySwitch, bool grayFlag) => _membership.Session.Gray.Set(graySwitch, grayFlag);

    /// <summary>The id that brokers know this consumer by.</summary>
    public string ClientId => _membership.Session.ClientId;

    /// <summary>The queues that this consumer works on now.</summary>
    public IReadOnlyCollection<MessageQueue> Queues => _assignments.Queues;

    /// <summary>Consumes a topic's messages with certain tags.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="tags"><c>TagA || TagB</c>, or <c>*</c> for all messages.</param>
    /// <exception cref="ArgumentException">The topic's name or the expression is wrong.</exception>
    public void Subscribe(string topic, string tags = SubscriptionData.SubscribeAll) =>
        Subscribe(topic, MessageSelector.ByTag(tags));

    /// <summary>
    /// Consumes a topic's messages as far as they are wanted, from now on if the consumer has been started. All consumers of a group have to
    /// subscribe alike.
    /// </summary>
    /// <exception cref="ArgumentException">The topic's name is wrong.</exception>
    public void Subscribe(string topic, MessageSelector selector) => _membership.Subscribe(topic, selector);

    /// <summary>Consumes no further messages of a topic.</summary>
    public void Unsubscribe(string topic) => _membership.Unsubscribe(topic);

    /// <summary>
    /// Answers a message that a producer sent with <see cref="IProducer.RequestAsync(Message, TimeSpan, CancellationToken)"/> and
    /// now waits for the reply to.
    /// </summary>
    /// <param name="request">As it was handed to the handler.</param>
    /// <param name="body">The reply: at least one byte.</param>
    /// <exception cref="ArgumentException">The message is no request, or the body is empty.</exception>
    /// <exception cref="BrokerException">The broker does not know whoever asked any more.</exception>
    /// <exception cref="RouteNotFoundException">No broker of the cluster takes replies.</exception>
    /// <exception cref="TimeoutException">No answer came in time.</exception>
    /// <exception cref="IOException">The broker cannot be reached.</exception>
    public Task ReplyAsync(ReceivedMessage request, ReadOnlyMemory<byte> body, CancellationToken cancel = default) =>
        _membership.ReplyAsync(request, body, cancel);

    /// <summary>
    /// Begins to consume. What cannot be reached now, name servers or brokers, is tried again until it can be: that is no error here.
    /// </summary>
    /// <exception cref="InvalidOperationException">It has been started or stopped before.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        _membership.Lifecycle.Start();
        if (_options.MessageModel == MessageModel.Clustering)
        {
            _membership.Subscriptions.Set(TopicNames.RetryOf(_options.Group), MessageSelector.All);
        }

        await _membership.JoinAsync(cancel).ConfigureAwait(false);
        _commits.Start();
        _lockRenewals.Start();
        _rebalancer.Start();
    }

    /// <summary>
    /// Takes no further messages, waits for the handlers that are at work, <see cref="PushConsumerOptions.ShutdownTimeout"/> at most,
    /// commits what they have done, gives the queues back, leaves the group and closes the connections.
    /// </summary>
    /// <param name="cancel">Cuts the wait for handlers short.</param>
    public Task StopAsync(CancellationToken cancel = default) => _membership.Lifecycle.StopAsync(async () =>
    {
        await _rebalancer.DisposeAsync().ConfigureAwait(false);
        await _assignments.StopPullingAsync().ConfigureAwait(false);
        Task handlers = _dispatcher.StopAsync(_options.ShutdownTimeout);
        await handlers.WaitAsync(cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _commits.DisposeAsync().ConfigureAwait(false);
        await _lockRenewals.DisposeAsync().ConfigureAwait(false);
        await _assignments.ReleaseAllAsync(_options.RequestTimeout, CancellationToken.None).ConfigureAwait(false);
        await _membership.LeaveAsync().ConfigureAwait(false);
        await _membership.CloseAsync().ConfigureAwait(false);
    });

    /// <summary>Stops, if that has not been done.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _assignments.Dispose();
        (_dispatcher as IDisposable)?.Dispose();
        (_offsets as IDisposable)?.Dispose();
    }

    private static T Require<T>(T value)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(value);
        return value;
    }

    private IMessageDispatcher CreateDispatcher(
        QueueLocks? locks, bool isBroadcasting, TimeProvider time, ILogger logger)
    {
        var invoker = new HandlerInvoker(_handler, _statistics, _options.Group, time, logger, _membership.Session.Gray);
        int maxReconsumeTimes =
            _options.Orderly ? _options.MaxOrderlyReconsumeTimes : _options.MaxConcurrentReconsumeTimes;
        SendBack? sendBack = isBroadcasting ? null : new SendBack(_membership.Session, _options.Group, maxReconsumeTimes, logger);
        return _options.Orderly
            ? new OrderlyDispatcher(invoker, sendBack, queue => locks?.Holds(queue) ?? true, _options, time, logger)
            : new ConcurrentDispatcher(invoker, sendBack, _options, time, logger);
    }

    // What brokers see of the consumer.
    private sealed class Inside(PushConsumer consumer) : IConsumerInside
    {
        public string Group => consumer._options.Group;

        public void OnMembersChanged() => consumer._rebalancer.Wake();

        public Task ResetOffsetsAsync(string topic, IReadOnlyDictionary<MessageQueue, long> offsets) =>
            consumer._assignments.ResetAsync(
                offsets.Where(entry => entry.Key.Topic == topic).ToDictionary(), CancellationToken.None);

        public Dictionary<MessageQueue, long> DescribeOffsets(string topic) => consumer.Queues
            .Where(queue => queue.Topic == topic)
            .ToDictionary(queue => queue, queue => consumer._offsets.Peek(queue) ?? -1);

        public ConsumerRunningInfo Describe() => new()
        {
            Properties = new(ConsumerIdentity.Describe(consumer._options, "CONSUME_PASSIVELY"))
            {
                ["PROP_CONSUMEORDERLY"] = consumer._options.Orderly ? "true" : "false",
                ["PROP_THREADPOOL_CORE_SIZE"] = consumer._options.MaxConcurrency.ToString(CultureInfo.InvariantCulture),
                ["PROP_CONSUMER_START_TIMESTAMP"] =
                    consumer._made.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
            },
            SubscriptionSet = [.. consumer._membership.Subscriptions.All],
            MqTable = consumer._assignments.Describe(),
            StatusTable = consumer._membership.Subscriptions.Topics.ToDictionary(topic => topic, consumer._statistics.Describe),
        };

        public async Task<ConsumeMessageDirectlyResult?> ConsumeDirectlyAsync(ReceivedMessage message, string brokerName) =>
            await DirectHandling.HandleAsync(
                consumer._handler,
                message with { BrokerName = brokerName },
                consumer._options.Orderly,
                consumer._membership.Session.Time).ConfigureAwait(false);
    }
}
