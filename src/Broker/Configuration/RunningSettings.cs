using GrayMQ.Protocol.Bodies;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Configuration;

/// <summary>
/// The settings in force, which administrators may change where a setting allows it. A change is written to the settings file that the
/// broker was started with, if there is one, before it counts.
/// </summary>
public sealed class RunningSettings
{
    private const string Request = "updateBrokerConfig";

    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _changing = new();
    private readonly List<Action<EffectiveSettings>> _followers = [];
    private State _state;

    public RunningSettings(EffectiveSettings settings, TimeProvider time, ILogger<RunningSettings> logger)
    {
        _time = time;
        _logger = logger;
        _state = new State(settings, new DataVersion(0, 0, NowMs()));
    }

    /// <summary>Raised after a change, with the settings as they are now.</summary>
    public event Action<EffectiveSettings>? Changed;

    public EffectiveSettings Current => Volatile.Read(ref _state).Settings;

    /// <summary>Grows with each change.</summary>
    public DataVersion Version => Volatile.Read(ref _state).Version;

    /// <summary>The value of a setting, now and after each change.</summary>
    public LiveSetting<T> Follow<T>(SettingDefinition<T> definition)
        where T : notnull
    {
        lock (_changing)
        {
            var live = new LiveSetting<T>(Current.Get(definition));
            _followers.Add(settings => live.Value = settings.Get(definition));
            return live;
        }
    }

    /// <summary>Changes settings: all of them, or none.</summary>
    /// <param name="given">As in a settings file.</param>
    /// <returns>What is wrong with what was given; empty when it is in force.</returns>
    /// <exception cref="IOException">The settings file cannot be written; nothing has changed.</exception>
    /// <exception cref="UnauthorizedAccessException">The settings file may not be written; nothing has changed.</exception>
    public IReadOnlyList<SettingProblem> Change(IEnumerable<KeyValuePair<string, string>> given, object? by)
    {
        EffectiveSettings changed;
        lock (_changing)
        {
            EffectiveSettings current = Current;
            KeyValuePair<string, string>[] asked = [.. given];
            if (!current.TryApply(asked, Request, out EffectiveSettings? applied, out IReadOnlyList<SettingProblem> errors))
            {
                return errors;
            }

            EffectiveSetting[] different = [.. applied.All.Where(setting => !IsSame(setting, current.Find(setting.Key)))];
            if (different.Length == 0)
            {
                return [];
            }

            Save(current, applied, asked);
            changed = applied;
            Volatile.Write(ref _state, new State(changed, Version.Next(NowMs())));
            foreach (Action<EffectiveSettings> follower in _followers)
            {
                follower(changed);
            }

            foreach (EffectiveSetting setting in different)
            {
                Log.SettingChanged(_logger, setting.Key, current.Find(setting.Key).Text, setting.Text, by);
            }
        }

        Changed?.Invoke(changed);
        return [];
    }

    // A whole configuration may be sent back: what it leaves as it is has no business in the file.
    private static void Save(EffectiveSettings current, EffectiveSettings applied, KeyValuePair<string, string>[] asked)
    {
        if (FileOf(current) is { } path)
        {
            HashSet<string> same =
            [
                .. applied.All.Where(setting => IsSame(setting, current.Find(setting.Key))).Select(setting => setting.Key),
            ];
            SettingsFile.Read(path).WithChanges(asked.Where(pair => !same.Contains(pair.Key))).Save();
        }
    }

    private static bool IsSame(EffectiveSetting left, EffectiveSetting right) => left.Text == right.Text;

    private static string? FileOf(EffectiveSettings settings) =>
        settings.All.Select(setting => setting.Place).LastOrDefault(place => place.Source == SettingSource.File).Name;

    private long NowMs() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private sealed record State(EffectiveSettings Settings, DataVersion Version);
}
