using System.Text.Json;
using GrayMQ.NameServer.Routes;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Returns;

/// <summary>
/// The brokers that were registered when the name server was last running, which are expected to register again: until they have, or the time
/// for that is over, a topic that is not known is no topic that does not exist, and the route of one that is known may be short of a broker
/// that serves it. Kept in a file, which follows who registers and unregisters.
/// </summary>
internal sealed class KnownBrokers : IDisposable
{
    private static readonly TimeSpan WriteDelay = TimeSpan.FromSeconds(1);

    // Whoever asks for a route in this time after the start waits for its answer: brokers register within a second or two, and stock clients
    // wait for 3 s.
    private static readonly TimeSpan HoldTime = TimeSpan.FromMilliseconds(2_500);

    // A broker that has been away for longer than a restart's route is kept (returnMs) may have died: it is not waited for after the next start.
    private static readonly TimeSpan MaxAbsence = TimeSpan.FromMinutes(2);

    private readonly string _path;
    private readonly LiveOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _startedAt;
    private readonly Lock _lock = new();
    private readonly Lock _writing = new();
    private readonly HashSet<KnownBroker> _registered = [];

    // Those of them whose connection has ended, and when.
    private readonly Dictionary<KnownBroker, long> _away = [];
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _hold;
    private readonly ITimer _write;

    // Runs out when whoever has been away for longest has been so for too long.
    private readonly ITimer _forget;
    private HashSet<KnownBroker> _expected;
    private volatile bool _mayWait;

    private KnownBrokers(string path, HashSet<KnownBroker> expected, LiveOptions options, TimeProvider time, ILogger logger)
    {
        _path = path;
        _expected = expected;
        _options = options;
        _time = time;
        _logger = logger;
        _startedAt = time.GetTimestamp();
        _mayWait = expected.Count > 0;
        _write = time.CreateTimer(_ => Write(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _forget = time.CreateTimer(_ => ForgetDead(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _hold = time.CreateTimer(_ => LetGo(), null, HoldTime, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Reads who was there; a file that is missing, or cannot be read, leaves nobody to be expected.</summary>
    public static KnownBrokers Open(string path, LiveOptions options, TimeProvider time, ILogger logger)
    {
        HashSet<KnownBroker> expected = [];
        try
        {
            if (File.Exists(path))
            {
                expected = [.. JsonSerializer.Deserialize(File.ReadAllBytes(path), KnownBrokerJson.Default.KnownBrokerArray) ?? []];
            }
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            Log.KnownBrokersUnreadable(logger, path, e.Message);
        }

        return new KnownBrokers(path, expected, options, time, logger);
    }

    /// <summary>
    /// Whether routes may be short of brokers that have not registered again yet. Takes no lock once it is over. Asked before the route is
    /// looked up: once this is false, the route has them all.
    /// </summary>
    public bool IsWaiting
    {
        get
        {
            if (!_mayWait)
            {
                return false;
            }

            if (_options.Current.WaitForKnownBrokers && _time.GetElapsedTime(_startedAt) < _options.Current.WaitForService)
            {
                return true;
            }

            lock (_lock)
            {
                GiveUp();
            }

            return false;
        }
    }

    /// <summary>Whether all are back but this one, so that the routes are short of nobody else.</summary>
    public bool WaitsForNoneBut(string brokerName)
    {
        lock (_lock)
        {
            return _expected.All(broker => broker.Name == brokerName);
        }
    }

    /// <summary>Completes when all are back, and at the latest when whoever has asked for a route cannot be left waiting any longer.</summary>
    public Task Held => _held.Task;

    /// <summary>The names of those that are waited for.</summary>
    public IReadOnlyList<string> Missing
    {
        get
        {
            lock (_lock)
            {
                return [.. _expected.Select(broker => broker.Name).Distinct().Order(StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>The same, for people.</summary>
    public string WaitingFor => $"not registered again since its start: {string.Join(", ", Missing)}";

    /// <summary>A node has registered.</summary>
    public void Registered(BrokerIdentity node, string name, long id)
    {
        var broker = new KnownBroker(node.Cluster, name, id);
        lock (_lock)
        {
            ExpectNoMore(broker);
            _away.Remove(broker);
            if (_registered.Count < NameServerLimits.MaxNodes && _registered.Add(broker))
            {
                WriteSoon();
            }
        }
    }

    /// <summary>A node has unregistered; it may not have registered since the start.</summary>
    public void Left(BrokerIdentity node, string name, long id)
    {
        lock (_lock)
        {
            var broker = new KnownBroker(node.Cluster, name, id);
            _away.Remove(broker);
            if (ExpectNoMore(broker) | _registered.Remove(broker))
            {
                WriteSoon();
            }
        }
    }

    /// <summary>A node is silent, or its connection has ended, without that it has unregistered: it may come back as well as any.</summary>
    public void Lost(BrokerIdentity node, string name, long id)
    {
        lock (_lock)
        {
            var broker = new KnownBroker(node.Cluster, name, id);
            if (_registered.Contains(broker) && _away.TryAdd(broker, _time.GetTimestamp()) && _away.Count == 1)
            {
                _forget.Change(MaxAbsence, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Has nobody wait for an answer any more.</summary>
    public void LetGo() => _held.TrySetResult();

    public void Dispose()
    {
        _hold.Dispose();
        _write.Dispose();
        _forget.Dispose();
    }

    // It is back, or will not be.
    private bool ExpectNoMore(KnownBroker broker)
    {
        bool wasExpected = _expected.Remove(broker);
        if (wasExpected && _expected.Count == 0)
        {
            _mayWait = false;
            LetGo();
            Log.AllBrokersBack(_logger, (long)_time.GetElapsedTime(_startedAt).TotalMilliseconds);
        }

        return wasExpected;
    }

    private void GiveUp()
    {
        if (_mayWait)
        {
            _mayWait = false;
            Log.BrokersNotBack(_logger, string.Join(", ", _expected.Select(broker => broker.Name)), _options.Current.WaitForService);
            _expected = [];
            WriteSoon();
        }
    }

    // Written down soon, not at the next change: the server may be killed before there is one.
    private void ForgetDead()
    {
        lock (_lock)
        {
            TimeSpan longest = TimeSpan.Zero;
            foreach ((KnownBroker broker, long since) in _away)
            {
                TimeSpan absence = _time.GetElapsedTime(since);
                if (absence >= MaxAbsence)
                {
                    _away.Remove(broker);
                    _registered.Remove(broker);
                    WriteSoon();
                }
                else if (absence > longest)
                {
                    longest = absence;
                }
            }

            if (_away.Count > 0)
            {
                _forget.Change(MaxAbsence - longest, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void WriteSoon() => _write.Change(WriteDelay, Timeout.InfiniteTimeSpan);

    /// <summary>Writes down who is known. Whoever is waited for still is as well: the server may be stopped again before it has come.</summary>
    public void Write()
    {
        try
        {
            lock (_writing)
            {
                KnownBroker[] known;
                lock (_lock)
                {
                    known = [.. _registered.Union(_expected).OrderBy(broker => broker.Name, StringComparer.Ordinal).ThenBy(broker => broker.Id)];
                }

                JsonFile.Replace(_path, known, KnownBrokerJson.Default.KnownBrokerArray);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.KnownBrokersNotWritten(_logger, _path, e.Message);
        }
    }
}
