-- nvim --headless -l neovim.lua: reads .nvim.lua beside a stand-in for nvim-dap, and prints what it was told, as JSON
package.preload.dap = function() return { adapters = {}, configurations = {} } end
vim.lsp.config = setmetatable({}, { __call = function(self, name, settings) self[name] = settings end })
dofile('.nvim.lua')
local dap = require('dap')
local servers = {}
for name, settings in pairs(vim.lsp.config) do servers[name] = settings.settings end
print(vim.json.encode({ adapter = dap.adapters.container, attach = dap.configurations.python[1], servers = servers }))
