/** What we use of the SDK at run time. In `dist/` it is a file of its own, which only `grite mcp` loads. */
export { Server } from '@modelcontextprotocol/sdk/server/index.js'
export {
  CallToolRequestSchema,
  CancelledNotificationSchema,
  GetPromptRequestSchema,
  JSONRPCMessageSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
