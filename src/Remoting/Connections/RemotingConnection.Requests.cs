using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Remoting.Connections;

/// <content>The peer's requests: from the frame to the answer, each answered once.</content>
public sealed partial class RemotingConnection
{
    private readonly FreeList<RequestTicket> _tickets = new();
    private readonly FreeList<HandlerWait> _waits = new();

    // Used by the thread that reads requests: the ticket of the one that it has just answered is the next one's.
    private RequestTicket? _nextTicket;

    // Requests that were read, and those of them that were answered: by the thread that reads, which counts by itself, and by others.
    private long _requestsRead;
    private long _answeredReading;
    private long _answeredElsewhere;
    private long _queuedBytes;
    private int _malformed;

    /// <inheritdoc/>
    public override int RequestsInFlight
    {
        get
        {
            // In this order: what is read meanwhile makes it more, not less than none.
            long answered = Volatile.Read(ref _answeredElsewhere) + Volatile.Read(ref _answeredReading);
            return (int)(Volatile.Read(ref _requestsRead) - answered);
        }
    }

    /// <inheritdoc/>
    protected internal override bool Answer<THeader, TBody>(
        in Responder request, ResponseCode code, string? remark, in THeader header, in TBody body)
    {
        // Whatever the header throws leaves the request unanswered, and its handler to answer otherwise.
        int length = 0;
        int start = 0;
        HeaderBuffer? reading = _output.Batch;
        HeaderBuffer? batch = null;
        HeaderBuffer? buffer = null;
        if (!request.IsOneWay)
        {
            length = body.Length;
            ArgumentOutOfRangeException.ThrowIfNegative(length, nameof(body));
            batch = length == 0 ? reading : null;
            buffer = batch ?? _output.BeginFrame();
            start = buffer.Length;
            CommandWriter.AppendResponse(buffer, request.SerializeType, code, request.Opaque, remark, in header, length);
        }

        RequestTicket? ticket = request.Ticket;
        if (ticket is not null && !ticket.TryUse(request.TicketNumber))
        {
            batch?.CutTo(start);
            return false;
        }

        if (batch is not null)
        {
            _output.Gathered();
        }
        else if (buffer is not null)
        {
            _output.WriteAnswer(buffer, in body, length);
        }

        if (ticket is not null)
        {
            if (reading is not null && _nextTicket is null)
            {
                _nextTicket = ticket;
            }
            else
            {
                _tickets.Give(ticket);
            }

            CountAnswer(reading is not null);
        }

        return true;
    }

    // What answers while requests are read drains by itself: it looks when it has read.
    private void CountAnswer(bool reading)
    {
        if (reading)
        {
            Volatile.Write(ref _answeredReading, _answeredReading + 1);
            return;
        }

        Interlocked.Increment(ref _answeredElsewhere);
        if (_draining && RequestsInFlight == 0)
        {
            _allAnswered.TrySetResult();
        }
    }

    /// <inheritdoc/>
    protected internal override void AnsweredTwice(in Responder request)
    {
        if (!request.IsOneWay)
        {
            Log.AnsweredTwice(_logger, request.RequestCode, RemoteEndPoint);
        }
    }

    /// <summary>Answers with what a handler threw. A handler that fails after its answer has left fails into the log only.</summary>
    internal void Fail(in Responder request, Exception e)
    {
        bool malformed = e is HeaderFieldException or BodyFormatException;
        (ResponseCode code, string remark) = e is RemotingException refused
            ? (refused.Code, refused.Message)
            : (ResponseCode.SystemError, malformed ? e.Message : $"{e.GetType().Name}: {e.Message}");
        if (malformed)
        {
            // A line for each request would let a peer fill the disk.
            if (Interlocked.Exchange(ref _malformed, 1) == 0)
            {
                Log.RequestMalformed(_logger, request.RequestCode, RemoteEndPoint, e.Message);
            }
        }
        else if (e is not RemotingException)
        {
            Log.RequestFailed(_logger, e, request.RequestCode, RemoteEndPoint);
        }

        Answer(in request, code, remark, default(NoHeader), default(MemoryBody));
    }

    /// <summary>The handler of a request has ended. Nobody waits for the answer to a one-way request, so it need not give one.</summary>
    internal void Handled(in Responder request)
    {
        if (request.IsOneWay)
        {
            Answer(in request, ResponseCode.Success, null, default(NoHeader), default(MemoryBody));
        }
    }

    /// <summary>Takes back what waited for a handler.</summary>
    internal void Waited(HandlerWait wait) => _waits.Give(wait);

    private void HandleRequest()
    {
        RemotingCommand command = _command;
        RequestTicket ticket = _nextTicket ?? _tickets.TryTake() ?? new RequestTicket();
        _nextTicket = null;
        var responder = new Responder(this, command.RequestCode, command.Opaque, command.SerializeType, command.IsOneWay)
        {
            Ticket = ticket,
            TicketNumber = ticket.Number,
        };
        Volatile.Write(ref _requestsRead, _requestsRead + 1);
        if (!_requests.TryGet(command.Code, out RequestTable.Entry entry))
        {
            responder.Reply(ResponseCode.RequestCodeNotSupported, $" request type {command.Code} not supported");
            return;
        }

        if (RequestsInFlight > _options.MaxRequestsInFlight)
        {
            responder.Reply(
                ResponseCode.SystemBusy,
                $"[OVERLOAD]system busy, {_options.MaxRequestsInFlight} requests of this connection wait for their answers");
            return;
        }

        if (entry.OnPool)
        {
            Queue(entry, responder);
            return;
        }

        ValueTask handling;
        try
        {
            var request = new RemotingRequest(responder, command.Language, command.Version, command.Fields, command.Body);
            handling = entry.Handle(in request);
            if (handling.IsCompletedSuccessfully)
            {
                // Gives a pooled source back.
                handling.GetAwaiter().GetResult();
                Handled(in responder);
                return;
            }
        }
        catch (Exception e)
        {
            Fail(in responder, e);
            return;
        }

        (_waits.TryTake() ?? new HandlerWait(this)).Start(handling, in responder);
    }

    private void Queue(RequestTable.Entry entry, in Responder responder)
    {
        RemotingCommand command = _command;
        long bytes = command.Body.Length + command.Fields.Bytes;
        if (Interlocked.Add(ref _queuedBytes, bytes) > _options.MaxQueuedBytes)
        {
            Interlocked.Add(ref _queuedBytes, -bytes);
            responder.Reply(
                ResponseCode.SystemBusy,
                $"[OVERLOAD]system busy, requests of {_options.MaxQueuedBytes} bytes of this connection wait to be carried out");
            return;
        }

        command.OwnBody();
        _command = new RemotingCommand();
        var request = new RemotingRequest(responder, command.Language, command.Version, command.Fields, command.Body);
        ThreadPool.UnsafeQueueUserWorkItem(
            static work => _ = work.Connection.HandleQueuedAsync(work.Entry, work.Request, work.Bytes),
            (Connection: this, Entry: entry, Request: request, Bytes: bytes),
            preferLocal: false);
    }

    private async Task HandleQueuedAsync(RequestTable.Entry entry, RemotingRequest request, long bytes)
    {
        try
        {
            await entry.Handle(request).ConfigureAwait(false);
            Handled(request.Responder);
        }
        catch (Exception e)
        {
            Fail(request.Responder, e);
        }
        finally
        {
            Interlocked.Add(ref _queuedBytes, -bytes);
        }
    }
}
