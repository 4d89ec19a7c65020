using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.KVConfigs;

/// <summary>Puts, gets, deletes and lists values (RocketMQ requests 100, 101, 102, 219).</summary>
internal sealed class KVConfigHandler(KVConfigStore configs, ILogger logger)
{
    public ValueTask PutAsync(RemotingRequest request, PutKVConfigHeader header)
    {
        NameCheck.Require("namespace", header.Namespace);
        NameCheck.Require("key", header.Key);
        if (header.Value.Length > NameServerLimits.MaxKVValueLength)
        {
            throw new RemotingException(
                ResponseCode.SystemError,
                $"the value has {header.Value.Length} characters: expected at most {NameServerLimits.MaxKVValueLength}");
        }

        try
        {
            configs.Put(header.Namespace, header.Key, header.Value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw Unchanged(header.Namespace, header.Key, e);
        }

        Log.KVConfigPut(logger, header.Namespace, header.Key, header.Value, request.Connection.RemoteEndPoint);
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    public ValueTask GetAsync(RemotingRequest request, KVConfigKeyHeader header)
    {
        if (configs.Find(header.Namespace, header.Key) is { } value)
        {
            request.Reply(new GetKVConfigResponseHeader { Value = value });
        }
        else
        {
            request.Reply(ResponseCode.QueryNotFound, $"No config item, Namespace: {header.Namespace} Key: {header.Key}");
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask DeleteAsync(RemotingRequest request, KVConfigKeyHeader header)
    {
        try
        {
            if (configs.Delete(header.Namespace, header.Key))
            {
                Log.KVConfigDeleted(logger, header.Namespace, header.Key, request.Connection.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unchanged(header.Namespace, header.Key, e);
        }

        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    }

    public ValueTask ListAsync(RemotingRequest request, GetKVListByNamespaceHeader header)
    {
        if (configs.List(header.Namespace) is { } values)
        {
            request.Reply(BodyCodec.Encode(new KVTable { Table = values }));
        }
        else
        {
            request.Reply(ResponseCode.QueryNotFound, $"No config item, Namespace: {header.Namespace}");
        }

        return ValueTask.CompletedTask;
    }

    private RemotingException Unchanged(string space, string key, Exception e)
    {
        Log.KVConfigNotWritten(logger, e, space, key);
        return new RemotingException(ResponseCode.SystemError, $"{key} of {space} stays as it was: {e.Message}");
    }
}
