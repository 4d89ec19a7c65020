using GrayMQ.Grpc.Calls;
using GrayMQ.Grpc.Framing;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Grpc.Servers;

/// <summary>Answers the calls that Kestrel takes off its HTTP/2 connections: Kestrel's streams without a web framework around them.</summary>
internal sealed class GrpcApplication(
    MethodTable methods, GrpcServerOptions options, TimeProvider time, ILogger logger, CancellationToken stopping)
    : IHttpApplication<IFeatureCollection>
{
    private readonly ByteBudget _incoming = new(options.MaxIncomingBytesOfAll);
    private int _callCount;

    /// <summary>Calls that are under way.</summary>
    public int CallCount => Volatile.Read(ref _callCount);

    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    public void DisposeContext(IFeatureCollection context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(IFeatureCollection context)
    {
        IHttpRequestFeature request = context.Get<IHttpRequestFeature>()!;
        if (!IsGrpc(request, context.Get<IHttpResponseFeature>()!))
        {
            return;
        }

        var call = new GrpcCall(context, options, _incoming, time, stopping);
        Interlocked.Increment(ref _callCount);
        try
        {
            call.Begin();
            Func<GrpcCall, Task> handle = methods.Find(request.Path)
                ?? throw new GrpcException(GrpcStatusCode.Unimplemented, "there is no such method", "UNKNOWN_METHOD");
            await handle(call).ConfigureAwait(false);
            CallTrailers.WriteOk(context);
        }
        catch (GrpcException e)
        {
            CallTrailers.Write(context, call.HasWritten, e.Code, e.Message, e.Reason);
        }
        catch (Exception e) when (e is OperationCanceledException or ConnectionAbortedException or ConnectionResetException or IOException)
        {
            bool late = call.IsLate;
            CallTrailers.Write(
                context,
                call.HasWritten,
                late ? GrpcStatusCode.DeadlineExceeded : GrpcStatusCode.Cancelled,
                late ? "the deadline came before the answer" : "the call was ended",
                reason: null);
        }
        catch (Exception e)
        {
            Log.CallFailed(logger, e, request.Path, call.Peer);
            CallTrailers.Write(context, call.HasWritten, GrpcStatusCode.Internal, $"{e.GetType().Name}: {e.Message}", reason: null);
        }
        finally
        {
            Interlocked.Decrement(ref _callCount);
            call.Dispose();
        }
    }

    private static bool IsGrpc(IHttpRequestFeature request, IHttpResponseFeature response)
    {
        if (!HttpMethods.IsPost(request.Method))
        {
            response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            response.Headers.Allow = HttpMethods.Post;
            return false;
        }

        string contentType = request.Headers.ContentType.ToString();
        bool isGrpc = contentType.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
            && (contentType.Length == "application/grpc".Length || contentType["application/grpc".Length] is '+' or ';');
        if (!isGrpc)
        {
            response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
        }

        return isGrpc;
    }
}
