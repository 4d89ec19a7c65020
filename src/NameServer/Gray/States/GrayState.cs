using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.Commands;
using GrayMQ.NameServer.Gray.Databases;
using GrayMQ.NameServer.Gray.Progress;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Gray.States;

/// <summary>
/// This name server's copy of the gray state, and the only one that changes it here. The database decides: it is looked at now and
/// then, so that what another name server has written is seen. While it is away the copy is given out and changes fail. A name
/// server that has no copy knows nothing, which is not the same as that nothing is gray.
/// </summary>
internal sealed class GrayState : IAsyncDisposable
{
    /// <summary>Changes that others make in between, after which a command gives up.</summary>
    private const int MaxAttempts = 20;

    private readonly IGrayDatabase _database;
    private readonly TimeSpan _pollInterval;
    private readonly string _name;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private GrayView? _view;
    private string? _problem;
    private Task _polling = Task.CompletedTask;

    /// <param name="name">Of this name server, in the history of what it does by itself.</param>
    public GrayState(IGrayDatabase database, TimeSpan pollInterval, string name, TimeProvider time, ILogger logger)
    {
        _database = database;
        _pollInterval = pollInterval;
        _name = name;
        _time = time;
        _logger = logger;
    }

    /// <summary>Called with each version that this name server comes to.</summary>
    public event Action<GrayVersion>? Changed;

    /// <summary>The copy; null when there is none.</summary>
    public GrayView? View => Volatile.Read(ref _view);

    /// <summary>Why the database could not be used the last time; null when it could.</summary>
    public string? Problem => Volatile.Read(ref _problem);

    /// <summary>Begins to look at the database; returns before it has.</summary>
    public void Start() => _polling = PollAsync(_stopping.Token);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _polling.ConfigureAwait(false);
        await _database.DisposeAsync().ConfigureAwait(false);
        _refreshing.Dispose();
        _stopping.Dispose();
    }

    /// <summary>The state as the database has it now; makes the database if there is none.</summary>
    /// <exception cref="GrayDatabaseException">It cannot be read.</exception>
    public async Task<GrayView> ReadAsync(CancellationToken cancel)
    {
        await _refreshing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            return await RefreshAsync(cancel).ConfigureAwait(false);
        }
        finally
        {
            _refreshing.Release();
        }
    }

    /// <summary>Decides by the newest state, and writes what was decided; decides again when another was faster.</summary>
    /// <param name="decide">Called for each state that is tried.</param>
    /// <returns>What was decided, and the state after it.</returns>
    /// <exception cref="GrayDatabaseException">Nothing has changed, or only the database knows.</exception>
    public async Task<(GrayDecision Decision, GrayView View)> ChangeAsync(
        Func<GrayView, GrayDecision> decide, GrayAudit audit, CancellationToken cancel)
    {
        await _refreshing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            for (int attempt = 0; attempt < MaxAttempts; attempt++)
            {
                GrayView view = await RefreshAsync(cancel).ConfigureAwait(false);
                GrayDecision decision = decide(view);
                if (!decision.Changes)
                {
                    return (decision, view);
                }

                if (await TryAsync(() => _database.TryChangeAsync(view.Version, decision.ToRows(audit), cancel)).ConfigureAwait(false))
                {
                    GrayView changed = await ReadBackAsync(decision, cancel).ConfigureAwait(false);
                    Log.GrayStateChanged(_logger, decision.Summary, changed.Version, audit.Operator, audit.From);
                    return (decision, changed);
                }
            }

            throw new GrayDatabaseException($"others have changed the gray state {MaxAttempts} times in between");
        }
        finally
        {
            _refreshing.Release();
        }
    }

    /// <summary>What was changed, the newest first; nothing where there is no database yet.</summary>
    /// <exception cref="GrayDatabaseException">It cannot be read.</exception>
    public async Task<IReadOnlyList<GrayAuditRow>> ReadHistoryAsync(
        string? subject, long before, int maxCount, CancellationToken cancel) => _database.Exists
        ? await TryAsync(() => _database.ReadHistoryAsync(subject, before, maxCount, cancel)).ConfigureAwait(false)
        : [];

    /// <summary>Takes a broker's report: notes what it has done, and ends what everybody has done.</summary>
    /// <exception cref="GrayDatabaseException">It was not noted; the broker will tell it again.</exception>
    public async Task TakeAsync(GrayProgress progress, CancellationToken cancel)
    {
        if (View is not { } view)
        {
            return;
        }

        // Before anything raises the version: a database that has gone back must not come to the broker's version by other ways.
        if (progress.Version.Epoch == view.Version.Epoch && progress.Version.Version > view.Version.Version)
        {
            view = await CatchUpAsync(progress, cancel).ConfigureAwait(false);
        }

        if (!view.Brokers.Contains(progress.Broker, StringComparer.Ordinal))
        {
            // A version of its own: whatever another name server begins by the version before is begun anew, and waits for this broker.
            (_, view) = await ChangeAsync(
                current => current.Brokers.Contains(progress.Broker, StringComparer.Ordinal)
                    ? GrayDecision.Done("another name server knows it")
                    : GrayDecision.Done($"broker {progress.Broker} acts on the gray state").Know(progress.Broker),
                OwnAudit(progress.Broker),
                cancel).ConfigureAwait(false);
        }

        IReadOnlyList<GrayPart> news = GrayParts.News(view, progress);
        if (news.Count > 0)
        {
            await TryAsync(async () =>
            {
                await _database.NoteAsync(news, cancel).ConfigureAwait(false);
                return true;
            }).ConfigureAwait(false);
            await ReadAsync(cancel).ConfigureAwait(false);
            await EndChangesAsync(cancel).ConfigureAwait(false);
        }
    }

    // Whoever is told that nothing has changed would give his command again.
    private async Task<GrayView> ReadBackAsync(GrayDecision decision, CancellationToken cancel)
    {
        try
        {
            return await RefreshAsync(cancel).ConfigureAwait(false);
        }
        catch (GrayDatabaseException e)
        {
            throw new GrayDatabaseException($"the change was made ({decision.Summary}), but cannot be read back: {e.Message}", e);
        }
    }

    private async Task PollAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(_pollInterval, _time);
        try
        {
            do
            {
                await LookAsync(cancel).ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(cancel).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private async Task LookAsync(CancellationToken cancel)
    {
        try
        {
            // A database that nobody has used is not made by looking at it.
            if (_database.Exists)
            {
                await ReadAsync(cancel).ConfigureAwait(false);
                await EndChangesAsync(cancel).ConfigureAwait(false);
            }
        }
        catch (GrayDatabaseException)
        {
            // Noted where it happened.
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.GrayPollFailed(_logger, e);
        }
    }

    /// <summary>
    /// A broker acts on a version that the database does not have: another name server has written it just now, or the database was
    /// restored. Then its versions mean something else than they did, and it gets an epoch of its own.
    /// </summary>
    private async Task<GrayView> CatchUpAsync(GrayProgress progress, CancellationToken cancel)
    {
        GrayView view = await ReadAsync(cancel).ConfigureAwait(false);
        if (progress.Version.Epoch == view.Version.Epoch && progress.Version.Version > view.Version.Version)
        {
            await BeginEpochAsync(view.Version, $"broker {progress.Broker} acts on {progress.Version}", cancel).ConfigureAwait(false);
            view = await ReadAsync(cancel).ConfigureAwait(false);
        }

        return view;
    }

    private async Task BeginEpochAsync(GrayVersion version, string why, CancellationToken cancel)
    {
        string summary = $"the database has gone back to {version}, as one that was restored has: a new epoch begins ({why})";
        if (await TryAsync(() => _database.TryBeginEpochAsync(version, OwnAudit("", summary), cancel)).ConfigureAwait(false))
        {
            Log.GrayEpochBegun(_logger, version, why);
        }
    }

    /// <summary>Ends changes of which everybody has done their part, whoever was told so.</summary>
    private async Task EndChangesAsync(CancellationToken cancel)
    {
        while (View?.Changes.FirstOrDefault(change => change.IsDone) is { } done)
        {
            GrayAudit audit = OwnAudit(GrayNames.SubjectOf(done.Name));
            await ChangeAsync(
                view => view.FindChange(done.Name) is { IsDone: true } change
                    ? GrayCommands.End(view, change, audit.AtMs, audit.Operator)
                    : GrayDecision.Done("another name server has ended it"),
                audit,
                cancel).ConfigureAwait(false);
        }
    }

    // Of what no command asked for.
    private GrayAudit OwnAudit(string subject, string summary = "") =>
        new(_time.GetUtcNow().ToUnixTimeMilliseconds(), "name server", _name, subject, "{}", summary);

    // Parts are no version: everything is read while something is under way, and otherwise only when the version is another.
    private async Task<GrayView> RefreshAsync(CancellationToken cancel)
    {
        GrayView? before = View;
        GrayView view = await TryAsync(async () =>
        {
            if (before is { Changes.Count: 0 }
                && await _database.ReadVersionAsync(cancel).ConfigureAwait(false) == before.Version)
            {
                return before;
            }

            return GrayView.Of(await _database.ReadAsync(cancel).ConfigureAwait(false));
        }).ConfigureAwait(false);
        if (before is not null && view.Version.Epoch == before.Version.Epoch && view.Version.Version < before.Version.Version)
        {
            await BeginEpochAsync(view.Version, $"this name server had {before.Version}", cancel).ConfigureAwait(false);
            view = await TryAsync(async () => GrayView.Of(await _database.ReadAsync(cancel).ConfigureAwait(false))).ConfigureAwait(false);
        }

        Volatile.Write(ref _view, view);
        if (view.Version != before?.Version)
        {
            Changed?.Invoke(view.Version);
        }

        return view;
    }

    private async Task<T> TryAsync<T>(Func<Task<T>> call)
    {
        try
        {
            T result = await call().ConfigureAwait(false);
            if (Interlocked.Exchange(ref _problem, null) is not null)
            {
                Log.GrayDatabaseBack(_logger, _database.Description);
            }

            return result;
        }
        catch (GrayDatabaseException e)
        {
            if (Interlocked.Exchange(ref _problem, e.Message) != e.Message)
            {
                Log.GrayDatabaseAway(_logger, e.Message);
            }

            throw;
        }
    }
}
