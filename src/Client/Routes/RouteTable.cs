using System.Collections.Concurrent;
using GrayMQ.Client.Errors;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Routes;

/// <summary>
/// The routes of all topics in use, asked for when they are first needed and again at an interval. What is known stays in use while the
/// name servers are away.
/// </summary>
internal sealed class RouteTable : IAsyncDisposable
{
    private readonly NameServerList _nameServers;
    private readonly TimeSpan _refreshInterval;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, TopicRoute> _routes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<TopicRoute?>>> _fetching = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _starting = new();
    private Task? _refreshing;

    public RouteTable(NameServerList nameServers, TimeSpan refreshInterval, TimeProvider time, ILogger logger)
    {
        _nameServers = nameServers;
        _refreshInterval = refreshInterval;
        _time = time;
        _logger = logger;
        Arrivals = new BrokerArrivals(time);
    }

    /// <summary>Which brokers are new in which routes.</summary>
    public BrokerArrivals Arrivals { get; }

    /// <summary>Raised with the topic whose route is new or another than before.</summary>
    public event Action<string>? Changed;

    /// <summary>What is known, without asking anybody.</summary>
    public TopicRoute? Peek(string topic) => _routes.GetValueOrDefault(topic);

    /// <summary>The topic's route; null when neither this table nor the name servers know one.</summary>
    /// <exception cref="NameServersUnavailableException">None of them answered, and nothing is known.</exception>
    public ValueTask<TopicRoute?> FindAsync(string topic, CancellationToken cancel) =>
        _routes.TryGetValue(topic, out TopicRoute? route) ? new(route) : new(RefreshAsync(topic, cancel));

    /// <summary>As <see cref="FindAsync"/>, asking a name server first.</summary>
    /// <inheritdoc cref="FindAsync"/>
    public Task<TopicRoute?> RefreshAsync(string topic, CancellationToken cancel)
    {
        StartRefreshing();

        // Many callers want a new topic at once: one of them asks for all.
        Lazy<Task<TopicRoute?>> fetch = _fetching.GetOrAdd(
            topic, static (topic, table) => new Lazy<Task<TopicRoute?>>(() => table.FetchAsync(topic)), this);
        return fetch.Value.WaitAsync(cancel);
    }

    /// <summary>Asks for several topics ahead of their use; what cannot be had is logged.</summary>
    public Task PrepareAsync(IEnumerable<string> topics, CancellationToken cancel) =>
        Task.WhenAll(topics.Select(RefreshQuietlyAsync)).WaitAsync(cancel);

    /// <summary>Has the topic asked for again soon: something that went wrong suggests that its route is out of date.</summary>
    public void RequestRefresh(string topic) => _ = RefreshQuietlyAsync(topic);

    /// <summary>Has all topics in use asked for again soon.</summary>
    public void RequestRefresh()
    {
        foreach (string topic in _routes.Keys)
        {
            RequestRefresh(topic);
        }
    }

    /// <summary>The name of the broker at an address; null when no route has it.</summary>
    public string? FindBrokerName(string address) => _routes.Values
        .SelectMany(route => route.Brokers)
        .FirstOrDefault(broker => broker.Addresses.Values.Contains(address))?.Name;

    /// <summary>
    /// The route to send by. A topic that does not exist gets that of <paramref name="defaultTopic"/>, whose brokers create topics when
    /// they are first sent to, with at most <paramref name="queues"/> queues each.
    /// </summary>
    /// <exception cref="RouteNotFoundException">There is no queue to send to.</exception>
    /// <inheritdoc cref="FindAsync"/>
    public async ValueTask<TopicRoute> FindForSendingAsync(
        string topic, string defaultTopic, int queues, CancellationToken cancel)
    {
        TopicRoute? route = await FindAsync(topic, cancel).ConfigureAwait(false);
        if (route is null)
        {
            TopicRouteData? template = await _nameServers.FindRouteAsync(defaultTopic, cancel).ConfigureAwait(false);
            if (template is not null)
            {
                route = _routes.GetOrAdd(topic, TopicRoute.Provisional(topic, template, queues));
                Changed?.Invoke(topic);
            }
        }

        if (route is null)
        {
            throw new RouteNotFoundException(
                $"no route for topic {topic}: it does not exist, and no broker creates topics when they are sent to");
        }

        if (route.WritableQueues.IsEmpty)
        {
            route = await RefreshAsync(topic, cancel).ConfigureAwait(false);
            if (route is null || route.WritableQueues.IsEmpty)
            {
                throw new RouteNotFoundException($"no broker that is there lets topic {topic} be written");
            }
        }

        return route;
    }

    /// <summary>Addresses of all brokers of all topics in use.</summary>
    public IReadOnlyCollection<string> BrokerAddresses(bool mastersOnly)
    {
        var addresses = new HashSet<string>(StringComparer.Ordinal);
        foreach (TopicRoute route in _routes.Values)
        {
            foreach (RouteBroker broker in route.Brokers)
            {
                foreach ((long id, string address) in broker.Addresses)
                {
                    if (!mastersOnly || id == BrokerData.MasterId)
                    {
                        addresses.Add(address);
                    }
                }
            }
        }

        return addresses;
    }

    public async ValueTask DisposeAsync()
    {
        Task? refreshing;
        lock (_starting)
        {
            refreshing = _refreshing ?? Task.CompletedTask;
            _refreshing = refreshing;
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        await refreshing.ConfigureAwait(false);
        Task fetching = Task.WhenAll(_fetching.Values.Select(fetch => fetch.Value));
        await fetching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private void StartRefreshing()
    {
        if (Volatile.Read(ref _refreshing) is null)
        {
            lock (_starting)
            {
                _refreshing ??= RefreshPeriodicallyAsync();
            }
        }
    }

    private async Task RefreshPeriodicallyAsync()
    {
        using var timer = new PeriodicTimer(_refreshInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
            {
                foreach (string topic in _routes.Keys)
                {
                    await RefreshQuietlyAsync(topic).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task RefreshQuietlyAsync(string topic)
    {
        try
        {
            await RefreshAsync(topic, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException and not ObjectDisposedException)
        {
            Log.RouteRefreshFailed(_logger, topic, e.Message);
        }
        catch (Exception)
        {
            // The client closes.
        }
    }

    private async Task<TopicRoute?> FetchAsync(string topic)
    {
        try
        {
            TopicRouteData? data;
            try
            {
                data = await _nameServers.FindRouteAsync(topic, _stopping.Token).ConfigureAwait(false);
            }
            catch (NameServersUnavailableException e) when (Peek(topic) is not null)
            {
                Log.RouteKept(_logger, topic, e.Message);
                return Peek(topic);
            }

            if (data is null)
            {
                // What was known is kept, as RocketMQ's clients do: brokers refuse by themselves what is no more.
                return Peek(topic);
            }

            TopicRoute? known = Peek(topic);
            if (known is { IsProvisional: false } && Same(known.Data, data))
            {
                return known;
            }

            TopicRoute route = TopicRoute.From(topic, data);
            if (known is { IsProvisional: false })
            {
                Arrivals.Follow(known, route);
            }

            _routes[topic] = route;
            Log.RouteChanged(_logger, topic, route.WritableQueues.Length, route.ReadableQueues.Length);
            Changed?.Invoke(topic);
            return route;
        }
        finally
        {
            _fetching.TryRemove(topic, out _);
        }
    }

    private static bool Same(TopicRouteData left, TopicRouteData right) =>
        BodyCodec.Encode(left).AsSpan().SequenceEqual(BodyCodec.Encode(right));
}
