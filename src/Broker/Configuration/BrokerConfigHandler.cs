using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Settings;

namespace GrayMQ.Broker.Configuration;

/// <summary>
/// Shows and changes the settings as key=value lines: GET_BROKER_CONFIG (26), UPDATE_BROKER_CONFIG (25). Unlike RocketMQ, which
/// takes over what it can and passes over the rest, a change that cannot be made is refused as a whole, with the reason.
/// </summary>
internal sealed class BrokerConfigHandler(RunningSettings settings)
{
    public ValueTask GetAsync(RemotingRequest request, NoHeader header)
    {
        byte[] body = Encoding.UTF8.GetBytes(settings.Current.ToProperties());
        var version = new GetBrokerConfigResponseHeader
        {
            Version = Encoding.UTF8.GetString(BodyCodec.Encode(settings.Version)),
        };
        request.Responder.Reply(ResponseCode.Success, null, in version, new MemoryBody(body));
        return ValueTask.CompletedTask;
    }

    public ValueTask UpdateAsync(RemotingRequest request, NoHeader header)
    {
        if (request.Body.Length > SettingsFile.MaxFileBytes)
        {
            throw Refused($"{request.Body.Length} bytes are no configuration: {SettingsFile.MaxFileBytes} are the limit");
        }

        SettingsFile given = SettingsFile.Parse("updateBrokerConfig", Encoding.UTF8.GetString(request.Body));
        IReadOnlyList<SettingProblem> problems = given.Problems.Count > 0
            ? given.Problems
            : Change(given, request);
        if (problems.Count > 0)
        {
            throw Refused(string.Join("; ", problems));
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    private IReadOnlyList<SettingProblem> Change(SettingsFile given, in RemotingRequest request)
    {
        try
        {
            return settings.Change(
                given.Entries.Select(entry => KeyValuePair.Create(entry.Key, entry.Value)), request.Connection.RemoteEndPoint);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refused($"nothing has changed, since the settings file cannot be written: {e.Message}");
        }
    }

    private static RemotingException Refused(string remark) => new(ResponseCode.SystemError, remark);
}
