using System.Runtime.CompilerServices;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Remoting.Connections;

/// <summary>Waits, without garbage, for a handler that did not end at once; what it throws becomes the answer.</summary>
internal sealed class HandlerWait : FreeListNode<HandlerWait>
{
    private readonly RemotingConnection _connection;
    private readonly Action _ended;
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _handling;
    private Responder _responder;

    public HandlerWait(RemotingConnection connection)
    {
        _connection = connection;
        _ended = Ended;
    }

    public void Start(ValueTask handling, in Responder responder)
    {
        _responder = responder;
        _handling = handling.ConfigureAwait(false).GetAwaiter();
        _handling.UnsafeOnCompleted(_ended);
    }

    private void Ended()
    {
        Responder responder = _responder;
        ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter handling = _handling;
        _responder = default;
        _handling = default;
        try
        {
            handling.GetResult();
            _connection.Handled(in responder);
        }
        catch (Exception e)
        {
            _connection.Fail(in responder, e);
        }

        _connection.Waited(this);
    }
}
