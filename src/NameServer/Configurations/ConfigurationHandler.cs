using System.Text;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Settings;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Configurations;

/// <summary>
/// Shows the settings and changes those that may change while the server runs (RocketMQ requests 319, 318). A change goes
/// into the settings file that the server was started with, if there is one, before it counts.
/// </summary>
internal sealed class ConfigurationHandler(EffectiveSettings settings, string? settingsFile, LiveOptions options, ILogger logger)
{
    private readonly Lock _lock = new();
    private EffectiveSettings _settings = settings;

    public ValueTask GetAsync(RemotingRequest request, NoHeader header)
    {
        request.Reply(Encoding.UTF8.GetBytes(Volatile.Read(ref _settings).ToProperties()));
        return ValueTask.CompletedTask;
    }

    public ValueTask UpdateAsync(RemotingRequest request, NoHeader header)
    {
        if (!request.Body.IsEmpty)
        {
            if (request.Body.Length > NameServerLimits.MaxConfigurationBytes)
            {
                throw new RemotingException(
                    ResponseCode.SystemError,
                    $"the configuration has {request.Body.Length} bytes: expected at most {NameServerLimits.MaxConfigurationBytes}");
            }

            Apply(SettingsFile.Parse("updateNamesrvConfig", Encoding.UTF8.GetString(request.Body)), request);
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    private void Apply(SettingsFile given, RemotingRequest request)
    {
        if (given.Problems.Count > 0)
        {
            throw new RemotingException(ResponseCode.SystemError, string.Join("; ", given.Problems));
        }

        if (given.Entries.Any(entry => options.Current.ConfigBlackList.Contains(entry.Key)))
        {
            throw new RemotingException(ResponseCode.NoPermission, "Can not update config in black list.");
        }

        KeyValuePair<string, string>[] changes = [.. given.Entries.Select(entry => KeyValuePair.Create(entry.Key, entry.Value))];
        lock (_lock)
        {
            if (!_settings.TryApply(changes, given.Path, out EffectiveSettings? changed, out IReadOnlyList<SettingProblem> errors))
            {
                throw new RemotingException(ResponseCode.SystemError, string.Join("; ", errors));
            }

            Save(changes);
            Volatile.Write(ref _settings, changed);
            options.Replace(NameServerOptions.From(changed));
        }

        foreach ((string key, string value) in changes)
        {
            Log.SettingChanged(logger, key, value, request.Connection.RemoteEndPoint);
        }
    }

    private void Save(IEnumerable<KeyValuePair<string, string>> changes)
    {
        if (settingsFile is null)
        {
            return;
        }

        try
        {
            SettingsFile.Read(settingsFile).WithChanges(changes).Save();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RemotingException(ResponseCode.SystemError, $"nothing has changed: cannot write {settingsFile}: {e.Message}");
        }
    }
}
